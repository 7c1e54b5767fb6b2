"""Read on at the end of files."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import deque
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from circus.ctl.printer import BLOCK_BYTES
from circus.exc import CircusError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from circus.ctl.printer import Printer

POLL_MS = 200
"""How often new output is looked for."""


def print_all(tails: Sequence[Tail], printer: Printer) -> None:
    """What is new in each."""
    for tail in tails:
        while data := tail.read():
            printer.write(tail.path, data)
    sys.stdout.flush()


class Tail:
    """Reads on at the end of a file, also when others have taken its name, one after the other."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file: BinaryIO | None = None
        self._next: deque[BinaryIO] = deque()
        """What is read once the file, which has been moved away, is read to its end."""
        self._known: set[int] = set()
        """The backups that there were when the file was opened, by inode."""

    def start(self, lines: int) -> None:
        """Go to the last `lines` lines. Raises CircusError when the file cannot be read."""
        try:
            self._file = open(self.path, "rb")  # noqa: SIM115 stays open
            self._file.seek(start_of_last(self._file, lines))
        except FileNotFoundError:
            return  # nothing was written yet
        except OSError as error:
            raise CircusError(f"cannot read {self.path}: {error.strerror}") from error
        self._known = {one.facts.st_ino for one in backups(self.path)}

    @property
    def written(self) -> float:
        """When the file was last written to, in seconds since 1970."""
        return 0.0 if self._file is None else os.fstat(self._file.fileno()).st_mtime

    def read(self) -> bytes:
        """Some of what is new, empty when there is none."""
        while True:
            if data := self._read_some():
                return data
            if self._next:
                if self._file is not None:
                    self._file.close()
                self._file = self._next.popleft()
            elif not self._find_next():  # if there is one, the old one may have got more meanwhile
                return b""

    def close(self) -> None:
        """Let go of what is open."""
        for file in (self._file, *self._next):
            if file is not None:
                file.close()

    def _read_some(self) -> bytes:
        file = self._file
        if file is None:
            return b""
        if os.fstat(file.fileno()).st_size < file.tell():  # it was cut short: begin again
            file.seek(0)
        return file.read(BLOCK_BYTES)

    def _find_next(self) -> bool:
        """Whether another file has the name now."""
        try:
            if self._file and os.path.samestat(os.stat(self.path), os.fstat(self._file.fileno())):
                return False
            newest = open(self.path, "rb")  # noqa: SIM115 stays open
        except OSError:
            return False
        if self._file is not None:
            self._next += self._missed(os.fstat(self._file.fileno()), os.fstat(newest.fileno()))
        self._next.append(newest)
        return True

    def _missed(self, old: os.stat_result, newest: os.stat_result) -> Iterator[BinaryIO]:
        """Files that had the name in between, from the oldest on: they are backups by now."""
        there = backups(self.path)
        known, self._known = self._known, {one.facts.st_ino for one in there}
        for path, found in there:
            later = found.st_mtime_ns - old.st_mtime_ns
            new = later > 0 or (later == 0 and found.st_ino not in known)
            if new and found.st_ino not in (old.st_ino, newest.st_ino):
                with contextlib.suppress(OSError):  # it is gone already
                    yield open(path, "rb")  # noqa: SIM115 stays open


class Backup(NamedTuple):
    """A file that had the name before."""

    path: str
    facts: os.stat_result


def backups(path: str) -> list[Backup]:
    """Those that our streams make of a file, from the oldest on."""
    folder, name = os.path.split(os.path.abspath(path))
    found: list[tuple[int, int, Backup]] = []
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            suffix = entry.name.removeprefix(f"{name}.")
            if suffix != entry.name and suffix.replace(".", "").isdecimal():
                facts = entry.stat()
                number = -int(suffix.replace(".", ""))  # .2 is older than .1
                found.append((facts.st_mtime_ns, number, Backup(entry.path, facts)))
    return [one for _time, _number, one in sorted(found)]


def start_of_last(file: BinaryIO, lines: int, least: int = 0) -> int:
    """Where the last `lines` lines begin, found from the end so that size does not matter.

    `least`: where it is given up, whatever is there.
    """
    end = position = file.seek(0, os.SEEK_END)
    if not lines:
        return end
    while position > least:
        size = min(BLOCK_BYTES, position - least)
        position -= size
        file.seek(position)
        block = file.read(size)
        at = len(block)
        while (at := block.rfind(b"\n", 0, at)) >= 0:
            if position + at == end - 1:
                continue  # the last line's own end
            lines -= 1
            if not lines:
                return position + at + 1
    return least
