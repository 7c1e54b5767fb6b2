"""Writes numbered lines, a few at once and then again after a moment, until it gets SIGTERM."""

import os
import select
import signal
import sys

told: list[int] = []
signal.signal(signal.SIGTERM, lambda *_: told.append(1))
number = 0
burst, pause = int(sys.argv[1]), float(sys.argv[2])
while not told:
    lines = [b"%d\n" % one for one in range(number, number + burst)]
    number += burst
    for fd in (1, 2):
        text = b"".join(lines)
        while text:
            text = text[os.write(fd, text) :]
    select.select((), (), (), pause)
os.write(1, b"last\n")
