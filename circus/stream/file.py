"""Output into files: appended whole, rotated between lines.

Always with O_APPEND, so that others may append to, truncate or move the file meanwhile. That rules
out splice(2), which refuses such files; with an offset of our own, a `copytruncate` under load
would leave holes. It would not be faster either: see benchmarks/output.py.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from circus.exc import CircusError
from circus.stream.shared import SharedFile, never_blocks, release, share
from circus.stream.sink import Piece, Record, Unwritten, payload
from circus.stream.stamp import Stamp, label

if TYPE_CHECKING:
    from collections.abc import Hashable


class FileStream:
    """Appends to `filename`; rolls it to .1, .2 … before it would reach `max_bytes`.

    Without a filename it makes a temporary file. Without backups a full file is emptied. One that
    was deleted is made again; one that was moved is written to until `reopen`, which SIGUSR1
    brings. Streams of one filename share one open file, and never tear each other's lines.
    """

    borrows = True
    prompt = False
    """A disk may take its time; a named pipe does not."""
    _file: SharedFile | None = None

    def __init__(
        self,
        filename: str | None = None,
        max_bytes: str | int = 0,
        backup_count: str | int = 0,
        time_format: str | None = None,
        **_options: object,
    ) -> None:
        self.max_bytes = whole_number("max_bytes", max_bytes)
        self.backup_count = whole_number("backup_count", backup_count)
        self.time_format = time_format
        if filename is None:
            import tempfile  # rarely

            fd, filename = tempfile.mkstemp(prefix="circus-")
            os.close(fd)
        self.filename = os.path.abspath(filename)
        self.place = ("file", os.path.realpath(filename))
        file = share(self.filename, self.place)  # what cannot be written is told early
        self.prompt = never_blocks(file.fd)
        release(file)

    def __del__(self) -> None:
        self.close()

    def open(self) -> None:
        """Raises CircusError. Open until `close`, which the last pipe that leads here brings."""
        if self._file is None:
            self._file = share(self.filename, self.place)

    def close(self) -> None:
        """Closes the descriptor when nobody else writes to the same file."""
        file, self._file = self._file, None
        if file is not None:
            release(file)

    def reopen(self) -> None:
        """Go on in a new file if the old one was moved away. Raises CircusError: the old one stays.

        For each of the streams that share a file this does the same once more.
        """
        if self._file is not None:
            self._file.reopen()

    def __call__(self, record: Record) -> None:
        """Append one record. Raises Unwritten, or CircusError, with what the disk said."""
        self.open()
        assert self._file is not None  # noqa: S101 open() made it or raised
        file, data = self._file, payload(record)
        owner = (record.get("pid"), record.get("name"))
        trouble = self._look_after(file, owner, record)
        if joint := file.seam.joint(owner):
            file.append(joint, None)
        if self.time_format:
            stamp = Stamp.after(file.seam, owner, label(record, self.time_format))
            stamp.write(bytes(data), file.seam, lambda text: self._append(file, text, owner))
        else:
            self._append(file, data, owner)
        if trouble:  # better in the old file than nowhere
            raise Unwritten(trouble, written=len(data))

    def _look_after(self, file: SharedFile, owner: Hashable, record: Record) -> str:
        """Go on in another file if it is time to. Returns why not, if the old one has to do."""
        if file.is_deleted():
            file.reopen()
        elif not file.seam.continues(owner):  # a line is never torn
            return self._move_on(file, record.get("timestamp") or time.time())
        return ""

    def _move_on(self, _file: SharedFile, _moment: float) -> str:
        """For those that look before each record whether that belongs into another file."""
        return ""

    def _append(self, file: SharedFile, text: Piece, owner: Hashable) -> None:
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

    def _fitting(self, file: SharedFile, rest: memoryview, owner: Hashable) -> int:
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

    def _roll(self, file: SharedFile) -> str:
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


class WatchedFileStream(FileStream):
    """Goes on in a new file as soon as the old one was moved away: nobody has to tell it."""

    borrows = True
    prompt = False

    def __init__(
        self,
        filename: str | None = None,
        time_format: str | None = None,
        max_bytes: str | int = 0,
        backup_count: str | int = 0,
        **_options: object,
    ) -> None:
        super().__init__(filename, max_bytes, backup_count, time_format)

    def _move_on(self, file: SharedFile, _moment: float) -> str:
        try:
            file.reopen()
        except CircusError as error:
            return str(error)
        return ""


def whole_number(option: str, value: str | int) -> int:
    """A count as the configuration file or a program gives it."""
    try:
        number = int(value)
    except ValueError:
        number = -1
    if number < 0:
        raise CircusError(f"{option} must be a whole number, not {value!r}")
    return number
