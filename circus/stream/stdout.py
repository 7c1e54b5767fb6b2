"""Output passed on to the daemon's own standard output, whatever that is."""

from __future__ import annotations

import io
import os
import random
import sys
from typing import TYPE_CHECKING, ClassVar

from circus.host.unblocked import unblocked, writer
from circus.stream.lines import Seam
from circus.stream.shared import never_blocks
from circus.stream.sink import Piece, Record, payload
from circus.stream.stamp import Stamp, label

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


class StdoutStream:
    """Writes to the file, pipe, terminal or socket behind `sys.stdout`.

    Never blocks where that can be had: a terminal that is stopped, or a pipe nobody reads, holds
    up only the workers that write to it.
    """

    place: ClassVar[Hashable] = ("stdout",)
    borrows = True
    _seam: ClassVar[Seam] = Seam()

    def __init__(self, **_options: object) -> None:
        self._fd = -1
        self._write: Callable[[memoryview], int] = _write_object

    @property
    def prompt(self) -> bool:
        """Whether a write cannot block: not on a disk."""
        try:
            return never_blocks(sys.stdout.fileno())
        except (AttributeError, OSError, ValueError, io.UnsupportedOperation):
            return False

    def open(self) -> None:
        """Look what standard output is; whoever replaces `sys.stdout` does it before."""
        self.close()
        try:
            self._fd = unblocked(sys.stdout.fileno())
        except (AttributeError, OSError, ValueError, io.UnsupportedOperation):
            self._write = _write_object  # closed, or an object that only looks like a file
        else:
            self._write = writer(self._fd)

    def close(self) -> None:
        """Standard output itself stays open."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        self.close()

    def __call__(self, record: Record) -> None:
        """Write one record. Raises Unwritten."""
        self._all(payload(record), self._begin(record))

    def _begin(self, record: Record) -> Hashable:
        """Whose the record is; nothing of another's is left unfinished."""
        if self._fd < 0:
            self.open()
        owner = (record.get("pid"), record.get("name"))
        if joint := self._seam.joint(owner):
            self._all(joint, None)
        return owner

    def _all(self, data: Piece, owner: Hashable) -> None:
        self._seam.write(data, owner, self._write, self._fd, "standard output")


class FancyStdoutStream(StdoutStream):
    """The same with each line in a colour, behind the time and the pid.

    `color` is one of `colors`; any other word means one of them by chance. With NO_COLOR in the
    environment there is none.
    """

    prompt = StdoutStream.prompt
    colors = ("red", "green", "yellow", "blue", "magenta", "cyan", "white")

    def __init__(
        self,
        color: str | None = None,
        time_format: str = "%Y-%m-%d %H:%M:%S",
        **_options: object,
    ) -> None:
        super().__init__()
        name = str(color).strip().lower()
        chosen = name if name in self.colors else random.choice(self.colors)
        self.color_code = self.colors.index(chosen) + 1
        self.time_format = time_format

    def __call__(self, record: Record) -> None:
        """Write one record. Raises Unwritten."""
        owner = self._begin(record)
        marks = (label(record, self.time_format), *self._colour())
        stamp = Stamp.after(self._seam, owner, *marks)
        stamp.write(bytes(payload(record)), self._seam, lambda text: self._all(text, owner))

    def _colour(self) -> tuple[bytes, bytes]:
        """What sets it, and what ends it."""
        if os.environ.get("NO_COLOR"):
            return b"", b""
        return b"\x1b[0;3%d;40m" % self.color_code, b"\x1b[0m"


def _write_object(data: memoryview) -> int:
    """For programs that put something of their own into `sys.stdout`. Raises OSError."""
    if sys.stdout is None:
        raise OSError("it is closed")
    binary = getattr(sys.stdout, "buffer", None)
    try:
        if binary is not None:
            binary.write(data)
        else:
            sys.stdout.write(bytes(data).decode(errors="backslashreplace"))
        sys.stdout.flush()
    except (ValueError, AttributeError) as error:  # it is closed, or no file at all
        raise OSError(str(error)) from error
    return len(data)
