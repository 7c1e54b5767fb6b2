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
        self._failure: Exception | None = None

    def when(self, holds: Callable[[], bool]) -> asyncio.Future[None]:
        """Resolves at the first `check` at which `holds()`, or now. May be cancelled."""
        future: asyncio.Future[None] = self._loop.create_future()
        if holds():
            future.set_result(None)
        elif self._failure is not None:
            future.set_exception(self._failure)
        else:
            self._waiting.append((holds, future))
        return future

    def give_up(self, error: Exception) -> None:
        """Nothing that is not true by now is going to be."""
        self._failure = error
        waiting, self._waiting = self._waiting, []
        for _, future in waiting:
            if not future.done():
                future.set_exception(error)

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
