"""What came and what was dropped, by stream; and when a person is told about it."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.stream.sink import Piece, Source

TELL_AGAIN = 10.0
"""Seconds between two reports of trouble with the same stream."""


@dataclasses.dataclass(frozen=True, slots=True)
class Counts:
    """Bytes that workers wrote, and bytes and lines of them that their sink did not take."""

    bytes_in: int = 0
    bytes_dropped: int = 0
    lines_dropped: int = 0


class Account:
    """One stream of one watcher, through all its workers. Only the pump's thread changes it."""

    def __init__(
        self,
        on_trouble: Callable[[Source, str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.bytes_in = 0
        self._bytes_dropped = 0
        self._lines_dropped = 0
        self._on_trouble = on_trouble
        self._clock = clock
        self._failing = False
        self._told_at = -TELL_AGAIN

    def counts(self) -> Counts:
        """As they are now; may be asked from any thread."""
        return Counts(self.bytes_in, self._bytes_dropped, self._lines_dropped)

    def dropped(self, source: Source, data: Piece, written: int, reason: str) -> None:
        """All of `data` but its first `written` bytes could not be put anywhere."""
        self._bytes_dropped += len(data) - written
        rest = bytes(data[written:])
        self._lines_dropped += rest.count(b"\n") + (rest[-1:] not in (b"", b"\n"))
        self.trouble(source, reason)

    def trouble(self, source: Source, reason: str) -> None:
        """Something failed: say so, unless it was said a moment ago."""
        now = self._clock()
        if now - self._told_at >= TELL_AGAIN:
            self._told_at = now
            self._failing = True
            self._on_trouble(source, reason + self._lost())

    def fine(self, source: Source) -> None:
        """The sink took everything."""
        if self._failing:
            self._failing = False
            self._on_trouble(source, "output arrives again" + self._lost())

    def _lost(self) -> str:
        if not self._bytes_dropped:
            return ""
        return f"; {self._bytes_dropped} bytes ({self._lines_dropped} lines) dropped so far"
