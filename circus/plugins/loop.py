"""A plugin's loop: asyncio's, under the names that plugins written for Tornado's use too."""

from __future__ import annotations

import asyncio
import datetime
import functools
import inspect
import logging
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

logger = logging.getLogger(__name__)


class PluginLoop:
    """Belongs to the thread that runs it; only `add_callback` may be called from another one.

    Moments are those of the clock on the wall, as Tornado counts them. All that is not here is
    asyncio's: `create_task`, `run_in_executor`, `call_soon_threadsafe` and so on.
    """

    READ = 0x01
    WRITE = 0x04
    ERROR = 0x18

    def __init__(self) -> None:
        self._tasks: set[asyncio.Future[Any]] = set()
        self._handlers: dict[int, Callable[[int], None]] = {}

    @functools.cached_property
    def asyncio_loop(self) -> asyncio.AbstractEventLoop:
        """What is below it; made when it is first needed, for not every plugin is run."""
        return asyncio.new_event_loop()

    def __getattr__(self, name: str) -> Any:
        """What asyncio has, whatever its type."""
        return getattr(self.asyncio_loop, name)

    # -- moments ------------------------------------------------

    def time(self) -> float:
        """Now, in seconds since the epoch."""
        return time.time()

    def add_timeout(
        self,
        deadline: float | datetime.timedelta,
        callback: Callable[..., object],
        *args: Any,
        **kwargs: Any,
    ) -> asyncio.TimerHandle:
        """Have it called at a moment, or after a while."""
        if isinstance(deadline, datetime.timedelta):
            delay = deadline.total_seconds()
        else:
            delay = deadline - self.time()
        return self.call_later(delay, callback, *args, **kwargs)

    call_at = add_timeout

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, **kwargs: Any
    ) -> asyncio.TimerHandle:
        """Have it called after so many seconds."""
        call = self._call(callback, *args, **kwargs)
        return self.asyncio_loop.call_later(max(0.0, delay), call)

    def remove_timeout(self, timeout: asyncio.TimerHandle) -> None:
        """It is not to be called."""
        timeout.cancel()

    # -- calls ------------------------------------------------

    def add_callback(self, callback: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Have it called soon; from any thread."""
        self.asyncio_loop.call_soon_threadsafe(self._call(callback, *args, **kwargs))

    add_callback_from_signal = spawn_callback = add_callback

    def add_future(self, future: asyncio.Future[Any], callback: Callable[[Any], object]) -> None:
        """Have it called with a future once that is done."""
        future.add_done_callback(lambda done: self.add_callback(callback, done))

    def _call(
        self, callback: Callable[..., object], *args: Any, **kwargs: Any
    ) -> Callable[[], None]:
        def call() -> None:
            found = callback(*args, **kwargs)
            if inspect.iscoroutine(found):
                self.keep(found)

        return call

    def keep(self, work: Coroutine[Any, Any, object]) -> asyncio.Future[object]:
        """Run it and hold on to it; what it fails with is logged."""
        task = self.asyncio_loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._kept)
        return task

    def _kept(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("A task of the plugin failed", exc_info=error)

    # -- descriptors ------------------------------------------------

    def add_handler(self, fd: Any, handler: Callable[[Any, int], object], events: int) -> None:
        """Have it called with `fd`, a number or an object that has one, when it is ready."""
        number = _number(fd)
        self._handlers[number] = lambda ready: self._call(handler, fd, ready)()
        self.update_handler(number, events)

    def update_handler(self, fd: Any, events: int) -> None:
        """Wait for something else at a descriptor that has a handler."""
        number, loop = _number(fd), self.asyncio_loop
        loop.remove_reader(number)
        loop.remove_writer(number)
        if events & self.READ:
            loop.add_reader(number, self._handlers[number], self.READ)
        if events & self.WRITE:
            loop.add_writer(number, self._handlers[number], self.WRITE)

    def remove_handler(self, fd: Any) -> None:
        """Wait for nothing there."""
        number = _number(fd)
        self.update_handler(number, 0)
        self._handlers.pop(number, None)

    # -- life ------------------------------------------------

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run until `work` is done; what was begun meanwhile is given up then."""
        asyncio.set_event_loop(self.asyncio_loop)
        try:
            self.asyncio_loop.run_until_complete(work)
        finally:
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                rest = asyncio.gather(*self._tasks, return_exceptions=True)
                self.asyncio_loop.run_until_complete(rest)
            asyncio.set_event_loop(None)

    def start(self) -> None:
        """Run until `stop`."""
        self.asyncio_loop.run_forever()

    def run_sync(self, function: Callable[[], Any], timeout: float | None = None) -> Any:
        """What `function()` returns, or what that comes to; for a loop that does not run."""

        async def run() -> Any:
            found = function()
            return await found if inspect.isawaitable(found) else found

        return self.asyncio_loop.run_until_complete(asyncio.wait_for(run(), timeout))

    def close(self, *_: object) -> None:
        """For good; nothing happens when it is closed. Tornado's takes an argument."""
        if "asyncio_loop" in self.__dict__:
            self.asyncio_loop.close()


def _number(fd: Any) -> int:
    return fd if isinstance(fd, int) else int(fd.fileno())
