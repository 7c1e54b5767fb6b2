"""Writes so many numbered lines of 50 bytes, so many a second, and waits for a signal."""

import os
import select
import signal
import sys
import time

name, count, pace = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
began, number = time.monotonic(), 0
while number < count:
    due = min(count, 1 + int(pace * (time.monotonic() - began)))
    lines = (f"{name} {one:07d} ".ljust(49, "x") + "\n" for one in range(number, due))
    number = max(number, due)
    text = "".join(lines).encode()
    while text:
        text = text[os.write(1, text) :]
    select.select((), (), (), 0.01)
signal.pause()
