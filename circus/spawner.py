"""Starts what waits to be started, a few milliseconds at a time."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

TURN = 0.005
"""Seconds of starting before the loop may answer others."""


class Spawner:
    """A queue of slots, first come, first started. The loop stays fair to everybody else."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: deque[tuple[Callable[[int], None], int]] = deque()
        self._running = False

    def add(self, start: Callable[[int], None], wid: int) -> None:
        """Have `start(wid)` called soon."""
        self._queue.append((start, wid))
        if not self._running:
            self._running = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        until = time.monotonic() + TURN
        while self._queue:
            start, wid = self._queue.popleft()
            start(wid)
            if time.monotonic() >= until:
                break
        if self._queue:
            self._loop.call_soon(self._turn)
        else:
            self._running = False
