"""Pipes whose silence is to be noticed."""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circus.stream.pipe import Pipe


class Due:
    """Those that have a moment, the nearest first. Only the pump's thread uses it."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Pipe]] = []
        """A pipe is in it once at most, perhaps with an earlier moment than it has now."""
        self._tie = itertools.count()

    def add(self, pipe: Pipe) -> None:
        """Its moment is set, or is no longer."""
        if pipe.due is not None and not pipe.queued:
            pipe.queued = True
            heapq.heappush(self._heap, (pipe.due, next(self._tie), pipe))

    def take(self, now: float) -> Iterator[Pipe]:
        """Those whose moment has come; others may be added meanwhile."""
        while self._heap and self._heap[0][0] <= now:
            pipe = heapq.heappop(self._heap)[2]
            pipe.queued = False
            if pipe.due is None:
                continue
            if pipe.due <= now:
                yield pipe
            else:
                self.add(pipe)

    def moments(self) -> list[float]:
        """When to look next, if ever."""
        return [moment for moment, _, _ in self._heap[:1]]
