"""Prints the name of each signal that it gets; ends at SIGTERM."""

import os
import signal
import sys


def tell(signum: int, _frame: object) -> None:
    os.write(1, f"{signal.Signals(signum).name}\n".encode())
    if signum == signal.SIGTERM:
        sys.exit(0)


for one in (signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM):
    signal.signal(one, tell)
os.write(1, b"ready %d\n" % os.getpid())
while True:
    signal.pause()
