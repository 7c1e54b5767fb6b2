"""Futures of facts: each resolves once what it waits for holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Conditions:
    """Those who wait for something to be true of one thing that changes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def when(self, holds: Callable[[], bool]) -> asyncio.Future[None]:
        """Resolves at the first `check` at which `holds()`, or now. May be cancelled."""
        future: asyncio.Future[None] = self._loop.create_future()
        if holds():
            future.set_result(None)
        else:
            self._waiting.append((holds, future))
        return future

    def check(self) -> None:
        """Something changed."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        for holds, future in waiting:
            if future.done():
                continue
            if holds():
                future.set_result(None)
            else:
                self._waiting.append((holds, future))
