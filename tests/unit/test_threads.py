"""Calls into a loop's thread from others."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING

import pytest

from circus.exc import CircusError, ConflictError, NotFound
from circus.threads import Door, Outcome, asked_in_loop, from_any_thread

if TYPE_CHECKING:
    from collections.abc import Iterator


class Counter:
    """Notes in which thread it was called; its actions end when `release` is set."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.threads: list[threading.Thread] = []
        self.release: asyncio.Future[int] | None = None

    @from_any_thread
    def act(self, number: int, *, wrong: bool = False) -> Outcome[int]:
        self.threads.append(threading.current_thread())
        if wrong:
            raise NotFound(f"{number} not found")
        loop = asyncio.get_running_loop()
        self.release = loop.create_future()
        self.release.set_result(number)
        return Outcome.of(self.release)

    @asked_in_loop
    def ask(self, number: int) -> int:
        self.threads.append(threading.current_thread())
        if number < 0:
            raise NotFound(f"{number} not found")
        return number


class Loop(threading.Thread):
    """A loop in a thread of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()

    def run(self) -> None:
        self.loop.run_forever()
        self.loop.close()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.join()


@pytest.fixture
def loop() -> Iterator[Loop]:
    thread = Loop()
    thread.start()
    yield thread
    thread.stop()


def test_another_thread_has_its_action_done_in_the_loops(loop: Loop) -> None:
    counter = Counter(Door(loop.loop))
    outcome = counter.act(3)
    assert outcome.result(timeout=20) == 3
    assert counter.threads == [loop]


def test_an_outcome_can_be_awaited_in_another_loop(loop: Loop) -> None:
    counter = Counter(Door(loop.loop))

    async def main() -> int:
        return await asyncio.wait_for(counter.act(4), timeout=20)

    assert asyncio.run(main()) == 4
    assert counter.threads == [loop]


def test_in_the_loop_an_action_is_stated_at_once() -> None:
    async def main() -> None:
        counter = Counter(Door(asyncio.get_running_loop()))
        outcome = counter.act(5)
        assert counter.threads == [threading.current_thread()]
        with pytest.raises(asyncio.InvalidStateError, match="has to await"):
            outcome.result()
        assert await outcome == 5
        assert outcome.result() == 5
        with pytest.raises(NotFound):
            counter.act(6, wrong=True)

    asyncio.run(main())


def test_a_failure_is_told_to_whoever_asks_and_logged_for_who_does_not(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    counter = Counter(Door(loop.loop))
    assert isinstance(counter.act(7, wrong=True).exception(timeout=20), NotFound)
    assert [record.message for record in caplog.records] == ["7 not found"]


def test_a_question_is_answered_by_the_loop(loop: Loop) -> None:
    counter = Counter(Door(loop.loop))
    assert counter.ask(1) == 1
    with pytest.raises(NotFound, match="-1 not found"):
        counter.ask(-1)
    assert counter.threads == [loop, loop]


def test_calls_before_there_is_a_loop_wait_and_keep_their_order() -> None:
    door = Door()
    counter = Counter(door)
    assert counter.ask(8) == 8
    early = [counter.act(number) for number in range(3)]
    assert not any(outcome.done() for outcome in early)

    async def main() -> list[int]:
        door.open(asyncio.get_running_loop())
        return await asyncio.gather(*early)

    assert asyncio.run(main()) == [0, 1, 2]


def test_calls_after_the_end_are_refused() -> None:
    door = Door()
    waiting = Counter(door).act(1)
    door.close()
    for outcome in (waiting, Counter(door).act(2)):
        assert isinstance(outcome.exception(timeout=20), ConflictError)


def test_a_cancelled_outcome_stays_cancelled(loop: Loop) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def action() -> Outcome[int]:
        begun.set()
        go_on.wait(20)
        return Outcome.settled(1)

    outcome = Door(loop.loop).act(action)
    assert begun.wait(20)
    assert outcome.cancel()
    go_on.set()
    with pytest.raises(CancelledError):
        outcome.result(timeout=20)
    # the loop was not hurt by it
    assert Door(loop.loop).ask(lambda: "well") == "well"


def test_what_nobody_foresaw_is_logged_with_its_place(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    def action() -> Outcome[int]:
        raise ZeroDivisionError

    error = Door(loop.loop).act(action).exception(timeout=20)
    assert isinstance(error, ZeroDivisionError)
    assert not isinstance(error, CircusError)
    assert caplog.records[0].exc_info is not None


def test_what_a_posted_call_raises_is_logged_and_the_loop_goes_on(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    door = Door(loop.loop)
    door.post(lambda: 1 // 0)  # type: ignore[arg-type]
    assert door.ask(lambda: "well") == "well"
    assert [record.message for record in caplog.records] == ["Cannot run what a program asked for"]
    assert caplog.records[0].exc_info is not None
