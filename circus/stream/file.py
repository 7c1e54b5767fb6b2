"""Output into files: appended whole, rotated between lines.

Always with O_APPEND, so that others may append to, truncate or move the file meanwhile. That rules
out splice(2), which refuses such files; with an offset of our own, a `copytruncate` under load
would leave holes. It would not be faster either: see benchmarks/output.py.
"""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import TYPE_CHECKING

from circus.exc import CircusError
from circus.stream.lines import Seam
from circus.stream.sink import Piece, Record, Unwritten, payload
from circus.stream.stamp import Stamp

if TYPE_CHECKING:
    from collections.abc import Hashable


class FileStream:
    """Appends to `filename`; rolls it to .1, .2 … before it would reach `max_bytes`.

    Without a filename it makes a temporary file. Without backups a full file is emptied.
    Streams of one filename share one open file, and never tear each other's lines.
    """

    borrows = True

    def __init__(
        self,
        filename: str | None = None,
        max_bytes: str | int = 0,
        backup_count: str | int = 0,
        time_format: str | None = None,
        **_options: object,
    ) -> None:
        self._file: _File | None = None
        self.max_bytes = _number("max_bytes", max_bytes)
        self.backup_count = _number("backup_count", backup_count)
        self.time_format = time_format
        if filename is None:
            import tempfile  # rarely

            fd, filename = tempfile.mkstemp(prefix="circus-")
            os.close(fd)
        self.filename = os.path.abspath(filename)
        self.place = ("file", os.path.realpath(filename))
        self.open()  # what cannot be written is told before a worker starts
        self.close()

    def __del__(self) -> None:
        self.close()

    def open(self) -> None:
        """Raises CircusError. Open until `close`, which the last pipe that leads here brings."""
        if self._file is None:
            self._file = _share(self.filename, self.place)

    def close(self) -> None:
        """Closes the descriptor when nobody else writes to the same file."""
        file, self._file = self._file, None
        if file is not None:
            _release(file)

    def reopen(self) -> None:
        """Go on in a new file if the old one was moved away. Raises CircusError: the old one stays.

        For each of the streams that share a file this does the same once more.
        """
        if self._file is not None:
            self._file.reopen()

    def __call__(self, record: Record) -> None:
        """Append one record. Raises Unwritten with what the disk said."""
        self.open()
        assert self._file is not None  # noqa: S101 open() made it or raised
        file, data = self._file, payload(record)
        owner = (record.get("pid"), record.get("name"))
        if joint := file.seam.joint(owner):
            file.append(joint, None)
        if not self.time_format:
            self._append(file, data, owner)
            return
        stamp = Stamp(record, self.time_format, continues=file.seam.continues(owner))
        text = stamp.put_on(bytes(data))
        try:
            self._append(file, text, owner)
        except Unwritten as error:
            error.written = stamp.taken_off(text[: error.written])
            raise

    def _append(self, file: _File, text: Piece, owner: Hashable) -> None:
        """All of `text`, in as many files as it takes."""
        rest, trouble = memoryview(text), ""
        try:
            while self.max_bytes and rest and not trouble:
                take = self._fitting(file, rest, owner)
                if take:
                    file.append(rest[:take], owner)
                    rest = rest[take:]
                else:
                    trouble = self._roll(file)
            if rest:
                file.append(rest, owner)
        except Unwritten as error:
            error.written += len(text) - len(rest)
            raise
        if trouble:  # better a file that is too long than a line that is not there
            raise Unwritten(trouble, written=len(text))

    def _fitting(self, file: _File, rest: memoryview, owner: Hashable) -> int:
        """How many bytes belong into this file; 0 if it is full."""
        size = file.size()
        room = max(0, self.max_bytes - size - 1)
        if len(rest) <= room:
            return len(rest)
        take = bytes(rest[:room]).rfind(b"\n") + 1
        if not take and (not size or file.seam.continues(owner)):
            # longer than any file, or begun in this one: a line is never torn
            take = bytes(rest).find(b"\n") + 1 or len(rest)
        return take

    def _roll(self, file: _File) -> str:
        """Begin a new file. Returns why that cannot be, in which case the old one stays open."""
        try:
            if not self.backup_count:
                os.ftruncate(file.fd, 0)
                return ""
            # not when it was moved away, by others or by a roll that failed half-way
            if file.in_place():
                self._shift()
            file.open()
        except OSError as error:
            return f"cannot rotate {self.filename!r}: {error.strerror}"
        return ""

    def _shift(self) -> None:
        """Each backup becomes the next older one, and the file itself the first of them."""
        free = 1
        while free < self.backup_count and os.path.lexists(f"{self.filename}.{free}"):
            free += 1
        for number in range(free - 1, 0, -1):
            os.replace(f"{self.filename}.{number}", f"{self.filename}.{number + 1}")
        os.replace(self.filename, f"{self.filename}.1")


class _File:
    """One open file for everybody who writes to its path."""

    def __init__(self, path: str, place: Hashable) -> None:
        self.path = path
        self.place = place
        self.users = 0
        self.fd = -1
        self.seam = Seam()

    def open(self) -> None:
        """Open what is at the path now, in place of what was open. Raises OSError."""
        # non-blocking matters to named pipes only: their readers may be slow, or not there
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
        fd = os.open(self.path, flags, 0o666)
        self.close()
        self.fd = fd
        self.seam = Seam()

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

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

    def size(self) -> int:
        """In bytes; asked each time, since others may append to it or truncate it."""
        return os.fstat(self.fd).st_size

    def append(self, data: Piece, owner: Hashable) -> None:
        """All of it. Raises Unwritten."""
        self.seam.write(data, owner, partial(os.write, self.fd), self.fd, repr(self.path))


_files: dict[Hashable, _File] = {}
# The control loop makes and drops streams while the pump opens and closes them.
_lock = threading.Lock()


def _share(path: str, place: Hashable) -> _File:
    with _lock:
        file = _files.get(place) or _File(path, place)
        try:
            if file.fd < 0:
                file.open()
        except OSError as error:
            raise CircusError(f"cannot write to {path!r}: {error.strerror}") from error
        _files[place] = file
        file.users += 1
        return file


def _release(file: _File) -> None:
    with _lock:
        file.users -= 1
        if not file.users:
            del _files[file.place]
            file.close()


def _number(option: str, value: str | int) -> int:
    """A count as the configuration file or a program gives it."""
    try:
        number = int(value)
    except ValueError:
        number = -1
    if number < 0:
        raise CircusError(f"{option} must be a whole number, not {value!r}")
    return number
