"""At SIGTERM it writes so many bytes, and ends."""

import os
import signal
import sys


def end(_signum: int, _frame: object) -> None:
    left = b"x" * int(sys.argv[1])
    while left:
        left = left[os.write(1, left) :]
    sys.exit(0)


signal.signal(signal.SIGTERM, end)
os.write(1, b"ready %d\n" % os.getpid())
while True:
    signal.pause()
