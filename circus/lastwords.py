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

PATIENCE = 0.05
"""Seconds that the dead wait, at most, to be collected."""


class LastWords:
    """For who collects: `collect` asks of each whether it was `heard`."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, pump: Pump, collect: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._pump = pump
        self._collect = collect
        self._timer: asyncio.TimerHandle | None = None
        self._late = False
        self._held = False

    def hear(self) -> None:
        """Somebody has ended: collect who may be collected."""
        self._held = False
        self._collect()
        if not self._held:
            self.close()

    def heard(self, pid: int) -> bool:
        """Whether this one may be collected; if not, `collect` is called again soon."""
        if self._late or not self._pump.reads(pid):
            return True
        self._held = True
        if self._timer is None:
            self._timer = self._loop.call_later(PATIENCE, self._give_up)
        self._pump.at_end(pid, self._tell)
        return False

    def close(self) -> None:
        """Wait no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tell(self) -> None:
        """In the pump's thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            self._loop.call_soon_threadsafe(self.hear)

    def _give_up(self) -> None:
        self._late = True
        self.hear()
        self._late = False
