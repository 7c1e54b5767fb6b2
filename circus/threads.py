"""Calls from other threads: every hook, plugin and program may act on what belongs to a loop.

An action is stated in the loop's thread, wherever it is called from, and at once answers with an
`Outcome`. A question asked from another thread waits until the loop's thread has answered it.
Objects that are called this way have a `door`; calls that come before their loop is known wait.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

from circus.exc import CircusError, ConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

T = TypeVar("T")
P = ParamSpec("P")

logger = logging.getLogger(__name__)


class Outcome(concurrent.futures.Future[T]):
    """What an action comes to. Await it in any loop, or wait for `result(timeout)` (seconds) in a
    thread that runs none. Nobody has to: the action goes on, and its failure is logged.
    """

    @classmethod
    def of(cls, future: asyncio.Future[T]) -> Outcome[T]:
        """What `future` comes to; to be called in the thread of its loop."""
        outcome: Outcome[T] = cls()
        future.add_done_callback(outcome.take_over)
        return outcome

    @classmethod
    def settled(cls, result: T) -> Outcome[T]:
        """One that is there already."""
        outcome: Outcome[T] = cls()
        outcome.set_result(result)
        return outcome

    def __await__(self) -> Generator[Any, None, T]:
        return asyncio.wrap_future(self).__await__()

    def result(self, timeout: float | None = None) -> T:
        """What it came to, once it has. Raises TimeoutError after `timeout` seconds."""
        self._refuse_to_block()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """What it failed with, once it is done. Raises TimeoutError after `timeout` seconds."""
        self._refuse_to_block()
        return super().exception(timeout)

    def take_over(self, future: asyncio.Future[T] | concurrent.futures.Future[T]) -> None:
        """Be done as `future` is, unless nobody waits any more."""
        if future.cancelled():
            self.cancel()
            return
        with contextlib.suppress(concurrent.futures.InvalidStateError):  # it was cancelled
            if (error := future.exception()) is not None:
                self.set_exception(error)
            else:
                self.set_result(future.result())

    def _refuse_to_block(self) -> None:
        """A loop that waits for itself would wait for ever."""
        if not self.done() and _running_loop() is not None:
            raise asyncio.InvalidStateError("not done yet; a thread that runs a loop has to await")


class Door:
    """The way into the thread of a loop. Any thread may call; calls keep their order."""

    __slots__ = ("_calls", "_closed", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.loop = loop
        """While it is open."""
        self._closed = False
        self._calls: deque[tuple[Callable[[], None], Callable[[], object]]] = deque()
        """Each with what to do instead when it is too late. Whoever takes one out sees to it."""

    @property
    def here(self) -> bool:
        """Whether this is the thread of the loop, at work."""
        return self.loop is not None and _running_loop() is self.loop

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let in who waits, as soon as the loop runs."""
        self._closed = False
        self.loop = loop
        if self._calls:
            self._knock()

    def close(self) -> None:
        """Refuse all calls from now on, also those that are on their way."""
        self.loop = None
        self._closed = True
        self._refuse()

    def act(self, action: Callable[[], Outcome[T]]) -> Outcome[T]:
        """Have an action stated in the loop's thread."""
        if self.here:
            return action()
        outcome: Outcome[T] = Outcome()

        def call() -> None:
            try:
                action().add_done_callback(outcome.take_over)
            except CircusError as error:
                logger.warning("%s", error)
                outcome.set_exception(error)
            except Exception as error:
                logger.exception("Internal error")
                outcome.set_exception(error)

        self._bring(call, outcome)
        return outcome

    def post(self, call: Callable[[], None]) -> None:
        """Have it called in the loop's thread, soon; what it raises is logged."""
        self._calls.append((lambda: _call_and_log(call), lambda: None))
        self._knock()

    def ask(self, question: Callable[[], T]) -> T:
        """What `question()` returns or raises in the loop's thread; waits for it.

        While no loop runs nobody else is at work, and it is asked here.
        """
        loop = self.loop
        if self.here or loop is None or not loop.is_running():
            return question()
        outcome: Outcome[T] = Outcome()

        def call() -> None:
            try:
                outcome.set_result(question())
            except Exception as error:  # noqa: BLE001 whoever asked is who has to know
                outcome.set_exception(error)

        self._bring(call, outcome)
        return concurrent.futures.Future.result(outcome)

    def _bring(self, call: Callable[[], None], outcome: Outcome[Any]) -> None:
        refusal = ConflictError("it does not run any more")
        self._calls.append((call, lambda: outcome.set_exception(refusal)))
        self._knock()

    def _knock(self) -> None:
        """Looked at after a call was put in: the door may have moved meanwhile."""
        loop = self.loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: so will the door be
                loop.call_soon_threadsafe(self._let_in)
        elif self._closed:
            self._refuse()

    def _let_in(self) -> None:
        while self._calls and self.here:
            self._calls.popleft()[0]()

    def _refuse(self) -> None:
        with contextlib.suppress(IndexError):  # another thread may take the last one
            while True:
                self._calls.popleft()[1]()


def _call_and_log(call: Callable[[], None]) -> None:
    try:
        call()
    except Exception:  # a user's: the loop goes on
        logger.exception("Cannot run what a program asked for")


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class HasDoor(Protocol):
    """Belongs to a loop's thread."""

    @property
    def door(self) -> Door:
        """The way there."""


S = TypeVar("S", bound=HasDoor)


def from_any_thread(
    action: Callable[Concatenate[S, P], Outcome[T]],
) -> Callable[Concatenate[S, P], Outcome[T]]:
    """A method that acts, for any thread to call."""

    @functools.wraps(action)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> Outcome[T]:
        return self.door.act(lambda: action(self, *args, **kwargs))

    return call


def asked_in_loop(question: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """A method that answers at once, for any thread to call; others wait for the loop's turn."""

    @functools.wraps(question)
    def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.door.ask(lambda: question(self, *args, **kwargs))

    return call
