"""Runs what may block in a thread of its own, while whoever asked goes on."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def aside(
    loop: asyncio.AbstractEventLoop, work: Callable[[], T], *, limit: float | None = None
) -> asyncio.Future[T]:
    """A future of what `work()` returns or raises; after `limit` seconds of a TimeoutError.

    A thread of its own, not one of a pool: work that never ends holds up neither other work nor
    the end of the process.
    """
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # there is no error, so it is a T

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as caught:  # noqa: BLE001 whoever awaits it is who has to know
            error = caught
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    try:
        threading.Thread(target=run, name="aside", daemon=True).start()
    except RuntimeError as error:  # there may be no more threads
        loop.call_soon(settle, None, error)
    if limit is not None:
        timer = loop.call_later(limit, settle, None, TimeoutError())
        future.add_done_callback(lambda _: timer.cancel())
    return future


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work()` returns or raises; it is left to itself, with TimeoutError, when it is late.

    Blocks the calling thread meanwhile.
    """
    done: concurrent.futures.Future[T] = concurrent.futures.Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as caught:  # noqa: BLE001 whoever waits is who has to know
            done.set_exception(caught)

    threading.Thread(target=run, name="within", daemon=True).start()
    return done.result(seconds)
