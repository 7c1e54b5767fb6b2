"""A future of several others, with a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future
    from collections.abc import Callable, Sequence


class AllDone:
    """`answer` is `outcome()` once all are done; after `timeout` seconds it fails with `late()`.

    The first that fails makes it fail too. When it is over, nobody waits on for the ones that are
    left.
    """

    def __init__(
        self,
        loop: AbstractEventLoop,
        awaited: Sequence[Future[Any]],
        outcome: Callable[[], dict[str, Any]],
        late: Callable[[], Exception],
        timeout: float | None = None,
    ) -> None:
        self.answer: Future[dict[str, Any]] = loop.create_future()
        self.answer.add_done_callback(self._tidy)
        self._awaited = awaited
        self._left = len(awaited)
        self._outcome = outcome
        self._late = late
        self._timer = None if timeout is None else loop.call_later(timeout, self._give_up)
        for future in awaited:
            future.add_done_callback(self._one_done)

    def _one_done(self, future: Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        if self.answer.done():
            return
        self._left -= 1
        if error is not None:
            self.answer.set_exception(error)
        elif not self._left:
            self.answer.set_result(self._outcome())

    def _give_up(self) -> None:
        if not self.answer.done():
            self.answer.set_exception(self._late())

    def _tidy(self, _answer: Future[dict[str, Any]]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for future in self._awaited:
            future.cancel()
