"""Lets dead workers wait until their pipes were read: as long as they are zombies, what they said
last is filed as theirs.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from circus.stream import Pump

PATIENCE = 0.2
"""Seconds that one of the dead waits, at most, to be collected."""


class LastWords:
    """For who collects: `collect` asks of each whether it was `heard`."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, pump: Pump, collect: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._pump = pump
        self._collect = collect
        self._timer: asyncio.TimerHandle | None = None
        self._told = False
        self._until: dict[int, float] = {}
        """How long each of those who wait does, by pid."""

    def hear(self) -> None:
        """Somebody has ended: collect who may be collected."""
        self._told = False
        self.close()
        self._collect()
        if self._until:
            self._timer = self._loop.call_at(min(self._until.values()), self.hear)

    def heard(self, pid: int) -> bool:
        """Whether this one may be collected; if not, `collect` is called again soon."""
        now = self._loop.time()
        waited = pid in self._until
        if not self._pump.reads(pid) or (waited and now >= self._until[pid]):
            self._until.pop(pid, None)
            return True
        if not waited:
            self._until[pid] = now + PATIENCE
            self._pump.at_end(pid, self._tell)
        return False

    def close(self) -> None:
        """Wait no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tell(self) -> None:
        """In the pump's thread: of many at once one is enough."""
        if self._told:
            return
        self._told = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(self.hear)
