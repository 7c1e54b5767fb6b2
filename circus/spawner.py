"""Starts what waits to be started, a few milliseconds at a time."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from circus.watcher import Watcher

TURN = 0.005
"""Seconds of starting before the loop may answer others."""


class Spawner:
    """A queue of slots, first come, first started. The loop stays fair to everybody else."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: deque[tuple[Watcher, int]] = deque()
        self._running = False

    def add(self, watcher: Watcher, wid: int) -> None:
        """Have `watcher.spawn_now(wid)` called soon."""
        self._queue.append((watcher, wid))
        if not self._running:
            self._running = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        until = time.monotonic() + TURN
        while self._queue:
            watcher, wid = self._queue.popleft()
            watcher.spawn_now(wid)
            if time.monotonic() >= until:
                break
        if self._queue:
            self._loop.call_soon(self._turn)
        else:
            self._running = False
