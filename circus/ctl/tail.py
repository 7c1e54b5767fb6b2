"""Read on at the end of files."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, BinaryIO

from circus.ctl.printer import BLOCK_BYTES
from circus.exc import CircusError

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    """Reads on at the end of a file, also when another one has taken its name."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file: BinaryIO | None = None

    def start(self, lines: int) -> None:
        """Go to the last `lines` lines. Raises CircusError when the file cannot be read."""
        try:
            self._file = open(self.path, "rb")  # noqa: SIM115 stays open
            self._file.seek(_start_of_last(self._file, lines))
        except FileNotFoundError:
            return  # nothing was written yet
        except OSError as error:
            raise CircusError(f"cannot read {self.path}: {error.strerror}") from error

    @property
    def written(self) -> float:
        """When the file was last written to, in seconds since 1970."""
        return 0.0 if self._file is None else os.fstat(self._file.fileno()).st_mtime

    def read(self) -> bytes:
        """Some of what is new, empty when there is none."""
        if self._file is None and not self._open_next():
            return b""
        data = self._read_some()
        if data or not self._open_next():
            return data
        return self._read_some()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _read_some(self) -> bytes:
        file = self._file
        if file is None:
            return b""
        if os.fstat(file.fileno()).st_size < file.tell():  # it was cut short: begin again
            file.seek(0)
        return file.read(BLOCK_BYTES)

    def _open_next(self) -> bool:
        """Whether another file has the name now."""
        try:
            if self._file and os.path.samestat(os.stat(self.path), os.fstat(self._file.fileno())):
                return False
            following = open(self.path, "rb")  # noqa: SIM115 stays open
        except OSError:
            return False
        if self._file is not None:
            self._file.close()
        self._file = following
        return True


def _start_of_last(file: BinaryIO, lines: int) -> int:
    """Where the last `lines` lines begin, found from the end so that size does not matter."""
    end = position = file.seek(0, os.SEEK_END)
    if not lines:
        return end
    while position > 0:
        size = min(BLOCK_BYTES, position)
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
    return 0
