"""Who is to be read to the end before it is collected, and when that is done."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.stream.sink import Source

LOOK = 0.002
"""Seconds between two looks at whether a sink has settled."""
LOOKS = 50
"""After so many it is done all the same: others may keep it busy for ever."""


class Farewells:
    """Of workers whose sinks name them, by pid and stream. In the pump's thread, but for two."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._unread: set[tuple[int, str]] = set()
        self._unsettled: dict[tuple[int, str], _Settling] = {}
        self._then: dict[int, Callable[[], None]] = {}
        self._next = 0.0

    def expect(self, source: Source) -> None:
        """This stream of a worker is to be read first. From any thread."""
        self._unread.add((source.pid, source.name))

    def expects(self, pid: int) -> bool:
        """Whether there is something to be read yet. From any thread."""
        return (pid, "stdout") in self._unread or (pid, "stderr") in self._unread

    def call(self, pid: int, then: Callable[[], None]) -> None:
        """Call `then` once there is nothing more, perhaps now."""
        if self.expects(pid):
            self._then[pid] = then
        else:
            then()

    def read(self, source: Source, settled: Callable[[], bool] | None) -> None:
        """This one is read to its end; `settled` tells whether its sink is done with that too."""
        stream = (source.pid, source.name)
        if settled is None or stream not in self._unread:
            self._done(stream)
            return
        if not self._unsettled:
            self._next = self._clock() + LOOK
        self._unsettled[stream] = _Settling(settled)

    def moments(self) -> list[float]:
        """When to look next."""
        return [self._next] if self._unsettled else []

    def look(self, now: float) -> None:
        """See who has settled by now."""
        if self._unsettled and now >= self._next:
            self._next = now + LOOK
            for stream, settling in list(self._unsettled.items()):
                if settling.is_over():
                    del self._unsettled[stream]
                    self._done(stream)

    def close(self) -> None:
        """Look no more."""
        self._unsettled.clear()

    def _done(self, stream: tuple[int, str]) -> None:
        self._unread.discard(stream)
        pid = stream[0]
        if pid in self._then and not self.expects(pid):
            self._then.pop(pid)()


class _Settling:
    """One stream: settled when it was twice in a row, as what was taken is looked at after that."""

    def __init__(self, settled: Callable[[], bool]) -> None:
        self._settled = settled
        self._left = LOOKS
        self._before = False

    def is_over(self) -> bool:
        """Look once more."""
        self._left -= 1
        before, self._before = self._before, True
        with contextlib.suppress(OSError):  # it is gone, and waits for nothing
            self._before = self._settled()
        return (before and self._before) or self._left <= 0
