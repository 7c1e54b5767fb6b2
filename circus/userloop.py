"""A loop as programs written for Tornado's know it."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.threads import Door


class TornadoLoop(Protocol):
    """A loop of Tornado's, by the part that we use."""

    @property
    def asyncio_loop(self) -> asyncio.AbstractEventLoop:
        """What is below it."""


class UserLoop:
    """The loop behind a door. What is asked of it before it runs is done when it does."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._tasks: set[asyncio.Future[Any]] = set()

    @property
    def asyncio_loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop itself, while it runs."""
        return self._door.loop

    def add_callback(self, callback: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Have it called soon in the loop's thread; from any thread."""

        def call() -> None:
            found = callback(*args, **kwargs)
            if inspect.iscoroutine(found):
                task = asyncio.ensure_future(found)
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

        self._door.post(call)

    call_soon_threadsafe = add_callback

    def add_future(self, future: Any, callback: Callable[[Any], object]) -> None:
        """Have `callback(future)` called in the loop's thread once it is done."""
        future.add_done_callback(lambda done: self.add_callback(callback, done))

    def run_sync(self, function: Callable[[], Any], timeout: float | None = None) -> Any:
        """What `function()` returns, or what that comes to; for programs outside the loop."""

        async def run() -> Any:
            found = function()
            return await found if inspect.isawaitable(found) else found

        loop = self._door.loop
        if loop is not None and loop.is_running():
            return asyncio.run_coroutine_threadsafe(run(), loop).result(timeout)
        return asyncio.run(asyncio.wait_for(run(), timeout))


def asyncio_loop_of(
    loop: asyncio.AbstractEventLoop | TornadoLoop | None,
) -> asyncio.AbstractEventLoop | None:
    """What asyncio knows it as."""
    if loop is None or isinstance(loop, asyncio.AbstractEventLoop):
        return loop
    return loop.asyncio_loop
