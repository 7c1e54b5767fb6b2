"""Holds the lock of its slot as long as it lives, and tells when another held it before.

Arguments: a folder, the slot (name and wid), and how it behaves:
quick    ends at SIGTERM, as programs do
slow     takes a moment to end
deaf     ends at nothing but SIGKILL, and leaves a deaf child that holds the lock too
hiding   ends at SIGTERM, and leaves a child in a session of its own
short    ends at once, well or badly
"""

import fcntl
import os
import select
import signal
import sys
import time

folder, slot, how = sys.argv[1:]


def tell(what: str) -> None:
    """One line, whole, with the moment since boot."""
    os.write(diary, f"{what} {slot} {os.getpid()} {time.monotonic_ns()}\n".encode())


def hold() -> None:
    lock = os.open(f"{folder}/{slot}.held", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        tell("two")


def end_slowly(_signum: int, _frame: object) -> None:
    tell("ending")
    select.select([], [], [], 0.05)
    sys.exit(0)


def hush(_signum: int, _frame: object) -> None:
    tell("hup")


diary = os.open(f"{folder}/diary", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
signal.signal(signal.SIGHUP, hush)
hold()
tell("up")
if how == "short":
    sys.exit(os.getpid() % 2)
if how == "slow":
    signal.signal(signal.SIGTERM, end_slowly)
if how == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.fork()
if how == "hiding" and os.fork() == 0:
    os.setsid()
    os.closerange(3, 100)
while True:
    signal.pause()
