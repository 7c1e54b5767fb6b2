"""Reads every worker's pipes in a thread of its own, so that no output can hold up control.

- Lines stay whole. What follows a pipe's last newline waits for the rest of its line: LINE_BYTES
  of it at most, and not for long when nobody else writes to the same place (a prompt, a row of
  dots).
- Memory is bounded. While a sink is slow its pipes fill and the workers wait; no pipe has more
  than two lines' worth of bytes in here.
- A pipe is read to its end. What no sink takes is counted, told, and never fatal.
- With nothing to read the thread sleeps.

A sink that is full (see `Unwritten`) holds up its own pipes only, and so does one that blocks: it
is called in a lane, which is lent the busy ones of its pipes. Those that never block are called
here, one after the other.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import os
import select
import threading
import time
from typing import TYPE_CHECKING

from circus.stream.beside import Threads
from circus.stream.doors import Doors
from circus.stream.due import Due
from circus.stream.farewell import Farewells
from circus.stream.fate import put
from circus.stream.lane import Lanes, Loan
from circus.stream.ledger import Counts, Ledger, Trouble
from circus.stream.pipe import BUFFER_BYTES, Pipe
from circus.stream.routes import Routes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable

    from circus.stream.beside import Beside
    from circus.stream.lane import Lane, News
    from circus.stream.pipe import Place
    from circus.stream.sink import Piece, Sink, Source

logger = logging.getLogger(__name__)

UNFINISHED = 1.0
"""Seconds that an unfinished line waits in silence before it is passed on as it is."""
LET_GO = 5.0
"""Seconds of silence after which a pipe that somebody holds does not outlive its worker."""


class Pump:
    """All methods may be called from any thread and do not block, but `close`.

    `on_trouble` is called from the pump's thread; it must not raise. `lanes_in`, threads unless
    given, is closed with it. `unfinished` and `let_go` are in seconds, see UNFINISHED and LET_GO.
    """

    def __init__(
        self,
        on_trouble: Callable[[Trouble], None] | None = None,
        *,
        lanes_in: Beside | None = None,
        unfinished: float = UNFINISHED,
        let_go: float = LET_GO,
    ) -> None:
        self._unfinished = unfinished
        self._let_go = let_go
        self._epoll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake, select.EPOLLIN)
        self._open = True
        self._orders: collections.deque[Callable[[], None]] = collections.deque()
        self._thread: threading.Thread | None = None
        self._closing: float | None = None
        self._buffer = bytearray(BUFFER_BYTES)
        self._pipes: dict[int, Pipe] = {}
        self._by_pid: dict[int, set[Pipe]] = {}
        self._doors = Doors(self._epoll)
        self._beside = lanes_in or Threads()
        self._lanes = Lanes(self._beside, self._hear)
        self._routes = Routes(self._lanes, self._doors)
        self._ledger = Ledger(on_trouble or _log)
        self._due = Due()
        self._farewells = Farewells()

    def start(self) -> None:
        """Begin reading."""
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it reads."""
        return self._thread is not None and self._thread.is_alive()

    def attach(self, fd: int, sink: Sink, source: Source) -> None:
        """Read this pipe until its end. The descriptor is the pump's from now on."""
        if not self._open:
            os.close(fd)
        elif getattr(sink, "names_workers", False):
            self._farewells.expect(source)
        self._order(lambda: self._attach(fd, sink, source))

    def ended(self, pid: int) -> None:
        """This worker is dead: a pipe that somebody else still holds is let go in a while."""
        self._order(lambda: self._ended(pid))

    def reads(self, pid: int) -> bool:
        """Whether this worker has a pipe that is to be read to its end before it is collected."""
        return self._farewells.expects(pid)

    def at_end(self, pid: int, then: Callable[[], None]) -> None:
        """Call `then` from the pump's thread once they are."""
        self._order(lambda: self._farewells.call(pid, then))

    def change(self, watcher: str, name: str, sink: Sink) -> None:
        """Lead one stream of all workers of a watcher to another sink from now on."""
        self._order(lambda: self._change(watcher, name, sink))

    def forget(self, watcher: str) -> None:
        """It is removed: nobody asks for its counts any more."""
        self._order(lambda: self._ledger.forget(watcher))

    def reopen(self) -> None:
        """Have every sink open its file anew."""
        self._order(self._reopen)

    def counts(self) -> dict[tuple[str, str], Counts]:
        """By watcher and stream, for those that have had a worker; they only ever grow."""
        return self._ledger.counts()

    def close(self, within: float) -> None:
        """Pass on what can be read, for `within` seconds at most, then let go of everything.

        Blocks that long. A thread that a sink keeps blocked is left behind.
        """
        until = time.monotonic() + within
        self._order(lambda: self._close_at(until))
        self._open = False
        if self._thread is None:
            self._thread = threading.current_thread()
            self._run()
        elif self._thread is not threading.current_thread():
            self._thread.join(within + 1.0)
            if self._thread.is_alive():
                logger.error("Cannot end output: a sink has been blocking for %s s", within)
                return
        # not by the thread: it may come to its end between an order and the write that tells of it
        if self._wake >= 0:
            os.close(self._wake)
            self._wake = -1

    def _order(self, order: Callable[[], None]) -> None:
        if self._open:
            self._orders.append(order)
            os.eventfd_write(self._wake, 1)

    # -- everything below runs in the thread ------------------------------------------------------

    def _run(self) -> None:
        while True:
            events = self._epoll.poll(self._patience())
            if self._orders:  # first: what is written after an order goes where that says
                self._obey()
            for fd, _event in events:
                self._attend(fd)
            now = time.monotonic()
            for place in self._doors.overdue(now):
                self._overflow(place)
            for pipe in self._due.take(now):
                self._look_after(pipe)
            self._ledger.settle()
            self._farewells.look(now)
            if self._closing is not None and (now >= self._closing or self._at_rest(events)):
                break
        self._abandon(self._closing)
        self._epoll.close()

    def _at_rest(self, events: Collection[object]) -> bool:
        # the lanes first: those that are idle have told everything before
        return self._lanes.are_idle() and not (events or self._doors or self._orders)

    def _attend(self, fd: int) -> None:
        if (pipe := self._pipes.get(fd)) is not None:
            if pipe.busy and pipe.lane is not None and not pipe.pending:
                self._lend(pipe, pipe.lane)
            else:
                self._read(pipe)
        elif (place := self._doors.get(fd)) is not None:
            self._resume(place)
        else:
            self._obey()

    def _patience(self) -> float | None:
        """Seconds until something is due without anything coming; None for ever."""
        if self._closing is not None and self._lanes.are_idle() and not self._doors:
            return 0.0  # what is not there yet will not come
        keepers = (self._doors, self._due, self._ledger, self._farewells)
        moments = [moment for keeper in keepers for moment in keeper.moments()]
        if self._closing is not None:
            moments.append(self._closing)
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    # -- orders -----------------------------------------------------------------------------------

    def _obey(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        while self._orders:
            self._orders.popleft()()

    def _attach(self, fd: int, sink: Sink, source: Source) -> None:
        os.set_blocking(fd, False)
        pipe = Pipe(fd, source, self._ledger.account(source.watcher, source.name))
        self._pipes[fd] = pipe
        self._by_pid.setdefault(source.pid, set()).add(pipe)
        self._routes.lead(pipe, sink)
        self._listen(pipe)

    def _ended(self, pid: int) -> None:
        for pipe in self._by_pid.get(pid, ()):
            pipe.orphaned = True
            self._routes.tell(pipe, "ended")
            self._schedule(pipe)

    def _change(self, watcher: str, name: str, sink: Sink) -> None:
        for pipe in list(self._pipes.values()):
            if (pipe.source.watcher, pipe.source.name) != (watcher, name):
                continue
            self._want_back(pipe)
            old = pipe.place
            if pipe.pending:
                old.waiting.remove(pipe)
            self._routes.lead(pipe, sink)
            self._offer_again(pipe, self._put)
            if old.door >= 0:
                self._resume(old)

    def _reopen(self) -> None:
        full = list(self._doors)
        for place in full:
            self._doors.shut(place)
        for pipe in {id(pipe.sink): pipe for pipe in self._pipes.values()}.values():
            self._routes.tell(pipe, "reopen")
        for place in full:
            self._resume(place)

    def _close_at(self, moment: float) -> None:
        self._closing = moment

    # -- pipes ------------------------------------------------------------------------------------

    def _listen(self, pipe: Pipe) -> None:
        if not pipe.listening:
            self._epoll.register(pipe.fd, select.EPOLLIN)
            pipe.listening = True

    def _ignore(self, pipe: Pipe) -> None:
        # not `modify`: a writer that hung up would still wake us
        if pipe.listening:
            self._epoll.unregister(pipe.fd)
            pipe.listening = False

    def _read(self, pipe: Pipe) -> bool:
        """Pass on what is there. Whether there was something."""
        try:
            size = pipe.read(self._buffer)
        except BlockingIOError:
            return False
        if not size:
            self._finish(pipe)
            return False
        pipe.account.came(size)
        self._put(pipe, pipe.lines.cut(self._buffer, size))
        self._schedule(pipe)
        return True

    def _lend(self, pipe: Pipe, lane: Lane) -> None:
        """Let it be read where its sink is called."""
        self._ignore(pipe)
        pipe.loan = Loan(pipe, self._take_back)
        lane.lend(pipe.loan)

    def _take_back(self, loan: Loan) -> None:
        """Its lane reads a pipe no more."""
        pipe = loan.pipe
        if pipe.loan is loan:
            pipe.loan = None
            self._listen(pipe)
            self._schedule(pipe)

    def _want_back(self, pipe: Pipe) -> None:
        if pipe.loan is not None and pipe.lane is not None:
            pipe.lane.want_back(pipe.loan)
            pipe.loan = None

    def _finish(self, pipe: Pipe) -> None:
        """Nothing more will be read from it."""
        pipe.at_end = True
        self._ignore(pipe)
        self._put(pipe, pipe.lines.flush())
        if not pipe.pending:
            self._remove(pipe)

    def _remove(self, pipe: Pipe) -> None:
        if self._pipes.pop(pipe.fd, None) is None:
            return  # what it waited with was dropped meanwhile, and it too
        self._ignore(pipe)
        os.close(pipe.fd)
        siblings = self._by_pid[pipe.source.pid]
        siblings.remove(pipe)
        if not siblings:
            del self._by_pid[pipe.source.pid]
        self._farewells.read(pipe.source, pipe.arrived())
        self._routes.leave(pipe)

    def _schedule(self, pipe: Pipe) -> None:
        """Set when silence is to be noticed."""
        if pipe.orphaned:
            pipe.due = time.monotonic() + self._let_go
        elif pipe.lines and not pipe.patient:
            pipe.due = time.monotonic() + self._unfinished
        else:
            pipe.due = None
        self._due.add(pipe)

    def _look_after(self, pipe: Pipe) -> None:
        """A moment that was set for this pipe has come."""
        if pipe.pending or pipe.at_end or pipe.loan is not None:
            return
        if pipe.orphaned:
            if not self._read(pipe) and not pipe.at_end:
                self._finish(pipe)
        elif len(pipe.place.pipes) == 1:
            self._put(pipe, pipe.lines.flush())

    # -- sinks ------------------------------------------------------------------------------------

    def _put(self, pipe: Pipe, data: Piece) -> None:
        """Give it to the sink; if that is full, keep it and stop reading the pipe."""
        if data and (pipe.place.waiting or not pipe.has_room()):
            self._wait(pipe, data)
        elif data:
            self._give(pipe, data)

    def _give(self, pipe: Pipe, data: Piece) -> None:
        if pipe.lane is not None:
            pipe.lane.put(pipe.sink, pipe.record(bytes(data)), pipe.account)
            return
        fate = put(pipe.sink, pipe.record(data), data, pipe.account)
        if self._doors.watch(pipe.place, fate):
            pipe.account.wrote(len(data) - len(fate.rest), everything=not fate.rest)
            self._wait(pipe, fate.rest)
        else:
            fate.book()

    def _hear(self, key: Hashable, news: list[News]) -> None:
        """From a lane."""
        self._orders.append(lambda: self._learn(key, news))
        os.eventfd_write(self._wake, 1)

    def _learn(self, key: Hashable, news: list[News]) -> None:
        for tell in news:
            tell()
        place = self._routes.place(key)
        if place is None:
            self._lanes.forget(key)
        elif place.door < 0:
            self._resume(place)

    def _wait(self, pipe: Pipe, data: Piece) -> None:
        """Queue at a full place."""
        if not pipe.pending:
            pipe.place.waiting.append(pipe)
        pipe.pending += data
        if pipe.place.overflows:
            self._drop_oldest(pipe.place)
        else:
            self._ignore(pipe)

    def _overflow(self, place: Place) -> None:
        """Workers have waited long enough for this place."""
        place.until, place.overflows = None, True
        for pipe in place.waiting:
            if not pipe.at_end:
                self._listen(pipe)
        self._drop_oldest(place)

    def _drop_oldest(self, place: Place) -> None:
        for pipe in place.drop_oldest():
            if pipe.at_end:
                self._remove(pipe)

    def _resume(self, place: Place) -> None:
        """A full place has room: those that wait get their turn, in order, while it has."""
        self._doors.shut(place)
        while place.waiting and place.waiting[0].has_room():
            pipe = place.waiting.popleft()
            self._offer_again(pipe, self._give)
            if pipe.pending:
                place.waiting.rotate()  # it is the first again: a part of a line may be written

    def _offer_again(self, pipe: Pipe, offer: Callable[[Pipe, Piece], None]) -> None:
        data, pipe.pending = pipe.pending, b""
        offer(pipe, data)
        if pipe.pending:
            return
        if pipe.at_end:
            self._remove(pipe)
        else:
            self._listen(pipe)
            self._schedule(pipe)

    def _abandon(self, until: float) -> None:
        """The end: what a full sink has not taken by now, and a busy one by then, is lost."""
        self._obey()
        for pipe in list(self._pipes.values()):
            self._want_back(pipe)
            self._put(pipe, pipe.lines.flush())
            if pipe.pending:
                pipe.drop_all("circusd ends, its sink is full")
            self._remove(pipe)
        self._lanes.close(until)
        self._beside.close()
        self._obey()
        self._farewells.close()
        self._ledger.close()


def _log(trouble: Trouble) -> None:
    logger.warning("%s", trouble)
