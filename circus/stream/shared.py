"""One open file for all streams that write to it."""

from __future__ import annotations

import os
import stat
import threading
from functools import partial
from typing import TYPE_CHECKING

from circus.exc import CircusError
from circus.stream.lines import Seam

if TYPE_CHECKING:
    from collections.abc import Hashable

    from circus.stream.sink import Piece


class SharedFile:
    """What is open for everybody who writes to a path; had by `share`, let go by `release`.

    Whoever made it opens it, which may take as long as its disk does; nobody else waits for that.
    """

    def __init__(self, path: str, place: Hashable) -> None:
        self.path = path
        self.place = place
        self.users = 0
        self.fd = -1
        self.seam = Seam()
        self.begun: float | None = None
        """When what it holds was begun, as far as that is known; for who rotates by time."""
        self._opening = threading.Lock()

    def ensure_open(self) -> None:
        """Raises CircusError."""
        with self._opening:
            if self.fd >= 0:
                return
            try:
                self.open()
            except OSError as error:
                raise CircusError(f"cannot write to {self.path!r}: {error.strerror}") from error

    def open(self) -> None:
        """Open what is at the path now, in place of what was open. Raises OSError."""
        # non-blocking matters to named pipes only: their readers may be slow, or not there
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
        fd = os.open(self.path, flags, 0o666)
        self.close()
        self.fd = fd
        self.seam = Seam()
        found = os.fstat(fd)
        self.begun = found.st_mtime if found.st_size else None

    def close(self) -> None:
        """Let go of the descriptor."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def reopen(self) -> None:
        """Raises CircusError."""
        if self.in_place():
            return
        try:
            self.open()
        except OSError as error:
            raise CircusError(f"cannot reopen {self.path!r}: {error.strerror}") from error

    def in_place(self) -> bool:
        """Whether the path still leads to the file that is open."""
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self.fd))
        except OSError:
            return False

    def is_deleted(self) -> bool:
        """Whether nobody will ever read what is written to it."""
        found = os.fstat(self.fd)
        # by way of /proc a deleted file can still have a path
        return not found.st_nlink and stat.S_ISREG(found.st_mode) and not self.in_place()

    def size(self) -> int:
        """In bytes; asked each time, since others may append to it or truncate it."""
        return os.fstat(self.fd).st_size

    def append(self, data: Piece, owner: Hashable) -> None:
        """All of it. Raises Unwritten."""
        self.seam.write(data, owner, partial(os.write, self.fd), self.fd, repr(self.path))


def never_blocks(fd: int) -> bool:
    """Whether a non-blocking write ends at once; to a disk there is no such thing."""
    return not stat.S_ISREG(os.fstat(fd).st_mode)


_files: dict[Hashable, SharedFile] = {}
# Streams are made, opened and closed in several threads. Nothing that may block is done with it.
_lock = threading.Lock()


def share(path: str, place: Hashable) -> SharedFile:
    """The file at this path, open. Raises CircusError."""
    with _lock:
        file = _files.setdefault(place, SharedFile(path, place))
        file.users += 1
    try:
        file.ensure_open()
    except CircusError:
        release(file)
        raise
    return file


def release(file: SharedFile) -> None:
    """Close it when nobody else writes to it."""
    with _lock:
        file.users -= 1
        if file.users:
            return
        del _files[file.place]
    file.close()
