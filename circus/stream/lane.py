"""Sinks that may block are called beside the pump: those of each place in turn, from a queue.

What waits there is bounded; beyond that the place is full, and its workers wait. So a disk that
does not answer, or a user's class that takes its time, holds up nobody else.
"""

from __future__ import annotations

import collections
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circus.stream.sink import Unwritten, is_prompt

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from circus.stream.ledger import Account
    from circus.stream.sink import Piece, Record, Sink

LANE_BYTES = 1 << 20
"""As much may wait for the sinks of one place; one piece more is taken by then."""
TELL_EACH = 16
"""So many pieces are written before the pump hears of it, while more are waiting."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a piece of output: `rest` was not written.

    No exception is kept: its frames would keep all that they know.
    """

    account: Account
    size: int
    rest: Piece = b""
    reason: str = ""
    full: int | None = None
    patience: float | None = None
    """Both as of `Unwritten`."""

    def book(self) -> None:
        """Count it. In the pump's thread."""
        if written := self.size - len(self.rest):
            self.account.wrote(written, everything=not self.rest)
        if self.rest:
            self.account.drop(self.rest, self.reason)
        elif self.reason:
            self.account.trouble(self.reason)


def put(sink: Sink, record: Record, data: Piece, account: Account) -> Fate:
    """Call the sink, whose record has this data."""
    try:
        sink(record)
    except Unwritten as error:
        rest = data[error.written :]
        return Fate(account, len(data), rest, _words(error), error.full, error.patience)
    except Exception as error:  # noqa: BLE001 a sink may be anybody's code
        return Fate(account, len(data), data, _words(error))
    return Fate(account, len(data))


def tell(sink: Sink, what: str, account: Account) -> Fate:
    """Call the sink's open(), close(), reopen() or ended(), if it has one."""
    method = getattr(sink, what, None)
    try:
        if method is not None:
            method()
    except Exception as error:  # noqa: BLE001 a sink may be anybody's code
        return Fate(account, 0, reason=_words(error))
    return Fate(account, 0)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


class Lane:
    """One place's queue. Methods are for the pump's thread, and do not block."""

    def __init__(
        self, spawn: Callable[[Callable[[], None]], None], hear: Callable[[list[Fate]], None]
    ) -> None:
        """`spawn` runs something beside the pump; `hear` is called there, and must not block."""
        self._spawn = spawn
        self._hear = hear
        self._lock = threading.Lock()
        self._jobs: collections.deque[tuple[Callable[[], Fate], Fate]] = collections.deque()
        """What is to be done, and what comes of it if it is not."""
        self._size = 0
        self._awaited = False
        self._fates: list[Fate] = []
        self._idle = threading.Event()
        self._idle.set()

    def is_idle(self) -> bool:
        """Whether nothing waits, nor is being written, and the pump has been told all."""
        with self._lock:
            return self._idle.is_set()

    def has_room(self) -> bool:
        """Whether something can be added. If not, the pump hears something once it can be."""
        with self._lock:
            self._awaited = self._size >= LANE_BYTES
            return not self._awaited

    def put(self, sink: Sink, record: Record, account: Account) -> None:
        """Have the sink called with this record."""
        data = record["data"]
        lost = Fate(account, len(data), data, "circusd ends, its sink is busy")
        self._add(lambda: put(sink, record, data, account), lost)

    def tell(self, sink: Sink, what: str, account: Account) -> None:
        """Have a method of the sink called, if it has that."""
        if hasattr(sink, what):
            self._add(lambda: tell(sink, what, account), Fate(account, 0))

    def _add(self, job: Callable[[], Fate], otherwise: Fate) -> None:
        with self._lock:
            self._jobs.append((job, otherwise))
            self._size += otherwise.size
            if not self._idle.is_set():
                return
            self._idle.clear()
        self._spawn(self._work)

    def _work(self) -> None:
        """Beside the pump: everything that waits, in order."""
        more = True
        while more:
            with self._lock:
                if not self._jobs:  # it was given up
                    return
                job, _otherwise = self._jobs[0]  # it stays until it is known what became of it
            fate = job()
            with self._lock:
                more = bool(self._jobs) and self._done(fate)

    def _done(self, fate: Fate) -> bool:
        """Whether there is more to do. The pump is told what cannot wait."""
        self._jobs.popleft()
        self._size -= fate.size
        self._fates.append(fate)
        over = not self._jobs
        room = self._awaited and self._size <= LANE_BYTES // 2
        if over or room or fate.reason or len(self._fates) >= TELL_EACH:
            self._awaited = self._awaited and not room
            fates, self._fates = self._fates, []
            self._hear(fates)
        if over:
            self._idle.set()
        return not over

    def give_up(self, until: float) -> None:
        """What is not done by then, on the monotonic clock, will not be. Blocks meanwhile."""
        self._idle.wait(max(0.0, until - time.monotonic()))
        with self._lock:
            self._hear([*self._fates, *(otherwise for _job, otherwise in self._jobs)])
            self._fates = []
            self._jobs.clear()


class Lanes:
    """Those of all places where sinks may block."""

    def __init__(
        self,
        spawn: Callable[[Callable[[], None]], None],
        hear: Callable[[Hashable, list[Fate]], None],
    ) -> None:
        self._spawn = spawn
        self._hear = hear
        self._lanes: dict[Hashable, Lane] = {}

    def get(self, key: Hashable, sink: Sink) -> Lane | None:
        """The lane of this place, also if something waits there for former sinks.

        None when the sink never blocks.
        """
        if is_prompt(sink):
            return None
        if key not in self._lanes:
            self._lanes[key] = Lane(self._spawn, lambda fates: self._hear(key, fates))
        return self._lanes[key]

    def forget(self, key: Hashable) -> None:
        """Nobody leads there any more; what waits there is still written."""
        if key in self._lanes and self._lanes[key].is_idle():
            del self._lanes[key]

    def are_idle(self) -> bool:
        """Whether nothing waits anywhere."""
        return all(lane.is_idle() for lane in self._lanes.values())

    def close(self, until: float) -> None:
        """Give up what is not done by then. Blocks meanwhile."""
        for lane in self._lanes.values():
            lane.give_up(until)
        self._lanes.clear()
