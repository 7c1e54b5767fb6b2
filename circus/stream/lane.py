"""Sinks that may block are called beside the pump: those of each place in turn, from a queue.

What waits there is bounded; beyond that the place is full, and its workers wait. So a disk that
does not answer, or a user's class that takes its time, holds up nobody else.

A busy pipe is lent to the lane where it leads: it is read there too, a piece each time its turn
comes. Nothing is copied then from thread to thread, and neither waits for the other.
"""

from __future__ import annotations

import collections
import contextlib
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from circus.stream.fate import Fate, put, tell
from circus.stream.pipe import BUFFER_BYTES
from circus.stream.sink import is_prompt

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from circus.stream.ledger import Account
    from circus.stream.pipe import Pipe
    from circus.stream.sink import Record, Sink

LANE_BYTES = 1 << 20
"""As much may wait for the sinks of one place; one piece more is taken by then."""
TELL_EACH = 32
"""So many things are to be told before the pump hears of them, while more is to be done."""
TURNS = 64
"""So many a loan has at most: where no thread can be had, the pump waits for its end."""

News: TypeAlias = "Callable[[], object]"
"""Something that happened; called in the pump's thread."""


class Job(NamedTuple):
    """Something to do, and what comes of it if it is not done."""

    do: Callable[[], Fate]
    otherwise: Fate


class Loan:
    """A pipe that its lane reads, until there is nothing more in it or it is wanted back."""

    def __init__(self, pipe: Pipe, give_back: Callable[[Loan], None]) -> None:
        """`give_back` is called in the pump's thread, unless it was wanted back."""
        self.pipe = pipe
        self.give_back = partial(give_back, self)
        self.turns = TURNS
        self.over = False


class Lane:
    """One place's queue. Methods are for the pump's thread, and do not block."""

    def __init__(
        self, spawn: Callable[[Callable[[], bool]], None], hear: Callable[[list[News]], None]
    ) -> None:
        """`spawn` runs something beside the pump, again while it says so; `hear` is called there,
        and must not block.
        """
        self._spawn = spawn
        self._hear = hear
        self._lock = threading.Lock()
        self._jobs: collections.deque[Job | Loan] = collections.deque()
        self._size = 0
        self._awaited = False
        self._news: list[News] = []
        self._buffer: bytearray | None = None
        """What pipes are read into, while there are any."""
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
        self._add(_writing(sink, record, account))

    def tell(self, sink: Sink, what: str, account: Account) -> None:
        """Have a method of the sink called, if it has that."""
        if hasattr(sink, what):
            self._add(Job(partial(tell, sink, what, account), Fate(account, 0)))

    def lend(self, loan: Loan) -> None:
        """Have a pipe read, after what was put before."""
        self._add(loan)

    def want_back(self, loan: Loan) -> None:
        """The pipe is not read any more. What was read of it has its place in the queue."""
        with self._lock:
            loan.over = True

    def _add(self, job: Job | Loan) -> None:
        with self._lock:
            self._jobs.append(job)
            if isinstance(job, Job):
                self._size += job.otherwise.size
            if not self._idle.is_set():
                return
            self._idle.clear()
        self._spawn(self._work)

    def _work(self) -> bool:
        """Beside the pump: the first of what waits. Whether there is more."""
        with self._lock:
            if not self._jobs:  # it was given up
                return False
            job = self._next()
        fate = job.do()
        with self._lock:
            return bool(self._jobs) and self._done(fate)

    def _next(self) -> Job:
        """The first in the queue; it stays there until it is known what became of it."""
        job = self._jobs[0]
        if isinstance(job, Loan):
            loan, job = job, self._read(job)
            self._jobs[0] = job
            self._size += job.otherwise.size
            if not loan.over:
                self._jobs.append(loan)
        return job

    def _read(self, loan: Loan) -> Job:
        """To write what is in the pipe; if that is nothing, the loan is over."""
        pipe, size = loan.pipe, 0
        loan.turns -= 1
        if self._buffer is None:
            self._buffer = bytearray(BUFFER_BYTES)
        if loan.turns and not loan.over:
            with contextlib.suppress(BlockingIOError):
                size = pipe.read(self._buffer)
        if size:
            self._news.append(partial(pipe.account.came, size))
            if data := pipe.lines.cut(self._buffer, size):
                return _writing(pipe.sink, pipe.record(data), pipe.account)
        elif not loan.over:
            loan.over = True
            self._news.append(loan.give_back)
        nothing = Fate(pipe.account, 0)
        return Job(lambda: nothing, nothing)

    def _done(self, fate: Fate) -> bool:
        """Whether there is more to do. The pump is told what cannot wait."""
        self._jobs.popleft()
        self._size -= fate.size
        self._news.append(fate.book)
        over = not self._jobs
        room = self._awaited and self._size <= LANE_BYTES // 2
        if over or room or fate.reason or len(self._news) >= TELL_EACH:
            self._awaited = self._awaited and not room
            news, self._news = self._news, []
            self._hear(news)
        if over:
            self._buffer = None
            self._idle.set()
        return not over

    def give_up(self, until: float) -> None:
        """What is not done by then, on the monotonic clock, will not be. Blocks meanwhile."""
        self._idle.wait(max(0.0, until - time.monotonic()))
        with self._lock:
            lost = [job.otherwise.book for job in self._jobs if isinstance(job, Job)]
            self._hear([*self._news, *lost])
            self._news = []
            self._jobs.clear()


def _writing(sink: Sink, record: Record, account: Account) -> Job:
    data = record["data"]
    lost = Fate(account, len(data), data, "circusd ends, its sink is busy")
    return Job(partial(put, sink, record, data, account), lost)


class Lanes:
    """Those of all places where sinks may block."""

    def __init__(
        self,
        spawn: Callable[[Callable[[], bool]], None],
        hear: Callable[[Hashable, list[News]], None],
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
            self._lanes[key] = Lane(self._spawn, lambda news: self._hear(key, news))
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
