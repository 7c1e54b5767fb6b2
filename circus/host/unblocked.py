"""Writing to what others hold open too, without ever waiting and without changing it for them."""

from __future__ import annotations

import os
import socket
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def unblocked(fd: int) -> int:
    """A descriptor for the same thing, non-blocking for us and unchanged for everybody else.

    The caller's to close.

    Blocking belongs to the open file, which a terminal's shell and our own log share with us; so
    pipes and devices are opened once more. A regular file must not be: its position is shared.
    """
    mode = os.fstat(fd).st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            return os.open(f"/proc/self/fd/{fd}", flags)
        except OSError:  # another user's terminal: it may block then
            pass
    return os.dup(fd)


def writer(fd: int) -> Callable[[memoryview], int]:
    """Writes what can be written at once; raises BlockingIOError when that is nothing."""
    if not stat.S_ISSOCK(os.fstat(fd).st_mode):
        return lambda data: os.write(fd, data)
    return lambda data: _send(fd, data)


def _send(fd: int, data: memoryview) -> int:
    """A socket cannot be opened once more, but asked each time not to block."""
    sock = socket.socket(fileno=fd)
    try:
        return sock.send(data, socket.MSG_DONTWAIT)
    finally:
        sock.detach()
