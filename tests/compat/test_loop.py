"""`arbiter.loop`, as programs for circus 0.19 use what was a loop of Tornado's."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import pytest

from circus.threads import Door
from circus.userloop import UserLoop
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


class Running:
    """A loop in a thread of its own, behind a door."""

    def __init__(self) -> None:
        self.below = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.below.run_forever)
        self.loop = UserLoop(Door(self.below))
        self.called: list[Any] = []

    def note(self, what: object) -> None:
        assert threading.current_thread() is self.thread
        self.called.append(what)

    async def note_later(self, what: object) -> None:
        await asyncio.sleep(0)
        self.note(what)


@pytest.fixture
def running() -> Iterator[Running]:
    made = Running()
    made.thread.start()
    wait_until(made.below.is_running)
    yield made
    made.below.call_soon_threadsafe(made.below.stop)
    made.thread.join()
    made.below.close()


def test_callbacks_run_in_its_thread_and_may_be_coroutines(running: Running) -> None:
    assert running.loop.asyncio_loop is running.below
    running.loop.add_callback(running.note, "one")
    running.loop.add_callback(running.note_later, what="two")
    wait_until(lambda: running.called == ["one", "two"])


def test_a_future_is_answered_in_its_thread(running: Running) -> None:
    future: Future[int] = Future()
    running.loop.add_future(future, lambda done: running.note(done.result()))
    assert running.called == []
    future.set_result(5)
    wait_until(lambda: running.called == [5])


def test_what_is_run_to_its_end_is_waited_for(running: Running) -> None:
    async def number() -> int:
        await asyncio.sleep(0)
        return 3

    def fails() -> int:
        raise LookupError("not here")

    assert running.loop.run_sync(number) == 3
    assert running.loop.run_sync(lambda: threading.current_thread()) is running.thread
    with pytest.raises(LookupError, match="not here"):
        running.loop.run_sync(fails)
    with pytest.raises(TimeoutError):
        running.loop.run_sync(running.below.create_future, timeout=0.01)
