"""Native journal records, sent without ever waiting."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import struct
import termios
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER = "/run/systemd/journal"
"""Where journald listens: at `socket` for records, at `stdout` for streams of lines."""

Identity = tuple[int, int, int]
"""pid, uid and gid of whom a record is from."""

_Ancillary = list[tuple[int, int, bytes]]
_TOO_LONG = (errno.EMSGSIZE, errno.ENOBUFS)
_GONE = (errno.ECONNREFUSED, errno.ECONNRESET, errno.ENOTCONN, errno.EPIPE)
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def field(name: str, value: bytes) -> bytes:
    """One field of a record, whatever bytes its value has."""
    if b"\n" in value:
        return b"%s\n%s%s\n" % (name.encode(), struct.pack("<Q", len(value)), value)
    return b"%s=%s\n" % (name.encode(), value)


def identity_of(pid: int) -> Identity | None:
    """As it is now; a zombie has one too. None when it is gone."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            ids = [line.split()[1] for line in file if line.startswith((b"Uid:", b"Gid:"))]
    except OSError:
        return None
    return pid, int(ids[0]), int(ids[1])


class Journal:
    """The way to one journald, found again when it was started anew. For one thread at a time."""

    def __init__(self, folder: str = FOLDER) -> None:
        self._path = f"{folder}/socket"
        self._socket: socket.socket | None = None

    def __del__(self) -> None:
        self.close()

    def fileno(self) -> int:
        """The descriptor to wait for when a record was not taken; -1 when there is none."""
        return -1 if self._socket is None else self._socket.fileno()

    def settled(self) -> bool:
        """Whether everything that was sent has been taken. Raises OSError."""
        if self._socket is None:
            return True
        waiting = fcntl.ioctl(self._socket, termios.TIOCOUTQ, bytes(4))
        return waiting == bytes(4)

    def close(self) -> None:
        """Let go of the socket; the next record opens another."""
        sock, self._socket = self._socket, None
        if sock is not None:
            sock.close()

    def send(self, record: Sequence[bytes], source: Identity | None = None) -> None:
        """One record, in pieces that are joined: fields, each with its newline.

        Raises BlockingIOError when journald does not take it now, and OSError. With `source` it is
        filed under that process instead of ours: PermissionError for who may not (it takes
        CAP_SYS_ADMIN, and CAP_SETUID and CAP_SETGID for other users), ProcessLookupError when it
        was collected.
        """
        ancillary: _Ancillary = []
        if source is not None:
            ids = struct.pack("3i", *source)
            ancillary.append((socket.SOL_SOCKET, socket.SCM_CREDENTIALS, ids))
        try:
            _send(self._socket or self._open(), record, ancillary)
        except OSError as error:
            if error.errno not in _GONE:
                raise
            self.close()
            _send(self._open(), record, ancillary)

    def _open(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            sock.connect(self._path)
        except OSError:
            sock.close()
            raise
        self._socket = sock
        return sock


def _send(sock: socket.socket, record: Sequence[bytes], ancillary: _Ancillary) -> None:
    try:
        sock.sendmsg(record, ancillary)
    except OSError as error:
        if error.errno not in _TOO_LONG:
            raise
        with _sealed(record) as file:
            rights = struct.pack("i", file)
            sock.sendmsg([], [*ancillary, (socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])


@contextlib.contextmanager
def _sealed(record: Sequence[bytes]) -> Iterator[int]:
    """A descriptor of memory that nobody can change any more: journald takes no other."""
    fd = os.memfd_create("journal", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with open(fd, "wb", closefd=False) as file:
            file.writelines(record)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
        yield fd
    finally:
        os.close(fd)


def open_stream(identifier: str, priority: int, folder: str = FOLDER) -> int:
    """A descriptor for somebody's output: each line becomes a record under its writer's pid.

    The caller's to close. `<n>` at the beginning of a line is its priority, else `priority` is.
    Raises OSError, also when journald does not take it at once.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as sock:
        sock.connect(f"{folder}/stdout")
        sock.shutdown(socket.SHUT_RD)
        prefixes, to_syslog, to_kmsg, to_console = 1, 0, 0, 0
        head = (identifier, _own_unit(), priority, prefixes, to_syslog, to_kmsg, to_console)
        sock.sendall("".join(f"{word}\n" for word in head).encode())
        os.set_blocking(sock.fileno(), True)  # its writer expects that
        return sock.detach()


def _own_unit() -> str:
    """Whose lines they are for journald when their writer is gone before it can look."""
    with open("/proc/self/cgroup") as file:
        folders = file.read().strip().split("/")
    return next((name for name in reversed(folders) if name.endswith(".service")), "")


def leads_to_journal(fd: int, told: str | None) -> bool:
    """Whether a descriptor is the stream that systemd opened for us; `told` is $JOURNAL_STREAM."""
    try:
        there = os.fstat(fd)
    except OSError:
        return False
    return told == f"{there.st_dev}:{there.st_ino}"
