"""The time and the pid before each line, and what else lines are shown in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from circus.stream.sink import Unwritten

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from circus.stream.lines import Seam
    from circus.stream.sink import Record


def label(record: Record, time_format: str) -> bytes:
    """What `time_format` puts before each line of a record: `<time> [<pid>] | `."""
    written = time.strftime(time_format, time.localtime(record.get("timestamp")))
    return f"{written} [{record.get('pid', '')}] | ".encode()


class Stamp:
    """What comes before and after the lines of one record.

    `first` comes before the first of them, since the data may begin in the middle of a line.
    """

    def __init__(self, mark: bytes, first: bytes, closing: bytes = b"") -> None:
        self._mark = mark
        self._first = first
        self._closing = closing

    @classmethod
    def after(
        cls, seam: Seam, owner: Hashable, text: bytes, opening: bytes = b"", closing: bytes = b""
    ) -> Stamp:
        """For the next record of `owner`; `text` stands at the beginning of each line.

        `opening` and `closing` go around each piece of a line that is written at once.
        """
        mark = opening + text
        if not seam.continues(owner):
            return cls(mark, mark, closing)
        return cls(mark, seam.owed or opening, closing)

    def write(self, data: bytes, seam: Seam, put: Callable[[bytes], None]) -> None:
        """Put it where it belongs, stamped. Raises Unwritten as if there were no stamps."""
        try:
            put(self.put_on(data))
        except Unwritten as error:
            error.written, seam.owed = self.taken_off(data, error.written)
            raise

    def put_on(self, data: bytes) -> bytes:
        """The data with its stamps."""
        stamped = self._first + data.replace(b"\n", self._closing + b"\n" + self._mark)
        return stamped[: -len(self._mark)] if data.endswith(b"\n") else stamped + self._closing

    def taken_off(self, data: bytes, written: int) -> tuple[int, bytes]:
        """How many bytes of data are in the first `written` bytes of what `put_on` gives.

        Also what of a stamp has to be written before more data is, when one was cut in two.
        """
        taken = 0
        for piece, is_data in self._pieces(data):
            part = min(len(piece), written)
            written -= part
            taken += part if is_data else 0
            if part < len(piece):
                return taken, b"" if is_data else piece[part:]
        return taken, b""

    def _pieces(self, data: bytes) -> Iterator[tuple[bytes, bool]]:
        """All that `put_on` puts together, and of each whether it is data."""
        before = self._first
        *whole, rest = data.split(b"\n")
        for line in whole:
            yield from ((before, False), (line, True), (self._closing, False), (b"\n", True))
            before = self._mark
        if rest:
            yield from ((before, False), (rest, True), (self._closing, False))
