"""What systemd and this process tell each other: how the service is, and sockets handed over.

The package sdnotify is not used: it waits when systemd does not read, tells nobody that a message
was lost (a READY=1 that is lost is a failed start), and can pass no descriptors.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circus.exc import CircusError

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

FIRST = 3
"""Where descriptors begin that are handed over: SD_LISTEN_FDS_START of sd_listen_fds(3)."""
NAMELESS = "unknown"
"""What systemd calls a descriptor that has no name."""
STATUS_MAX = 500
"""Characters of a status: a message of more than 4096 bytes is thrown away as a whole."""

READY = "READY=1"
STOPPING = "STOPPING=1"
WATCHDOG = "WATCHDOG=1"


def reloading() -> str:
    """That a reload begins; its moment lets systemd tell this one from the one before."""
    return f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}"


def main_pid() -> str:
    """Which process the service is."""
    return f"MAINPID={os.getpid()}"


def status(text: str) -> str:
    """One line for a person."""
    return "STATUS=" + text.replace("\n", " ")[:STATUS_MAX]


def extend_timeout(seconds: float) -> str:
    """So long from now on it may still take to start, to reload or to stop."""
    return f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}"


class Notifier:
    """Sends messages of sd_notify(3) to `address`, which is $NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def send(self, lines: Iterable[str]) -> bool:
        """Whether they were taken, all in one message; never waits. Raises OSError."""
        kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
        with socket.socket(socket.AF_UNIX, kind) as sock:
            try:
                sock.sendto("\n".join(lines).encode(), self._address)
            except BlockingIOError:
                return False
        return True


@dataclass(frozen=True, slots=True)
class Handed:
    """What systemd gave this process; the descriptors stay open for as long as it lives."""

    notifier: Notifier | None = None
    watchdog: float | None = None
    """In seconds: who is silent for so long is killed."""
    sockets: tuple[tuple[str, int], ...] = ()
    """Name and descriptor."""

    def by_name(self) -> dict[str, int]:
        """The descriptors, by name in lower case. Raises CircusError when two have one."""
        found: dict[str, int] = {}
        for name, fd in self.sockets:
            if name.lower() in found:
                raise CircusError(
                    f"systemd handed over two sockets named {name}: give each a socket unit and a "
                    "FileDescriptorName= of its own"
                )
            found[name.lower()] = fd
        return found


def take(environ: MutableMapping[str, str]) -> Handed:
    """What is there for this process, and out of `environ`: programs that we start get none of it.

    What names another process was meant for that one.
    """
    address = environ.pop("NOTIFY_SOCKET", "")
    microseconds = environ.pop("WATCHDOG_USEC", "")
    watched = environ.pop("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return Handed(
        Notifier(address) if address[:1] in ("/", "@") else None,
        int(microseconds) / 1e6 if watched and microseconds.isdecimal() else None,
        _sockets(environ),
    )


def _sockets(environ: MutableMapping[str, str]) -> tuple[tuple[str, int], ...]:
    ours = environ.pop("LISTEN_PID", "") == str(os.getpid())
    count = environ.pop("LISTEN_FDS", "")
    names = environ.pop("LISTEN_FDNAMES", "").split(":")
    if not ours or not count.isdecimal():
        return ()
    numbers = range(FIRST, FIRST + int(count))
    for fd in numbers:
        os.set_inheritable(fd, False)  # noqa: FBT003 it has no keyword
    names += [NAMELESS] * (len(numbers) - len(names))
    return tuple((name or NAMELESS, fd) for name, fd in zip(names, numbers, strict=False))
