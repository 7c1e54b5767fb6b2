"""Asks circusd and listens to circusd-stats, in a thread: the screen never waits."""

from __future__ import annotations

import os
import queue
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

import zmq

from circus import wire
from circus.client import make_message
from circus.exc import CallError
from circus.picture.connection import NOT_CIRCUSD, PATIENCE, Connection, Where

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.picture.model import Snapshot
    from circus.reach import Reach
    from circus.top.state import Send

ASK = 2.0
"""Seconds between two questions to circusd."""
SETTLED_MS = 100
"""So long nothing comes when all that is told at a time has come."""
SILENCE = 1.5
"""Seconds without a word from circusd-stats after which nobody waits for one."""
OFF = (
    "No statistics are published, so circusd itself is asked: set stats_endpoint in [circus], "
    "then restart circusd"
)


class News(NamedTuple):
    """What the screen is to show: one of these, or several."""

    snapshot: Snapshot | None = None
    source: str = ""
    notice: str = ""


class Feed(threading.Thread):
    """Puts what it finds into `news`, then calls `tell`, from its own thread.

    `believed`: seconds for which a process is shown of which nothing is heard.
    """

    def __init__(
        self, where: Where, reach: Reach, believed: float, tell: Callable[[], None]
    ) -> None:
        super().__init__(name="feed", daemon=True)
        self.news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._where = where
        self._reach = reach
        self._believed = believed
        self._tell = tell
        self._asked: queue.SimpleQueue[Send] = queue.SimpleQueue()
        self._woken = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._over = False
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()

    def send(self, command: Send) -> None:
        """Have circusd told this; what it says becomes news. From any thread."""
        self._asked.put(command)
        os.eventfd_write(self._woken, 1)

    def close(self) -> None:
        """End, and wait for that as long as an answer may take."""
        self._over = True
        os.eventfd_write(self._woken, 1)
        self.join(PATIENCE + 1)

    def run(self) -> None:
        """One connection after another."""
        while not self._over:
            try:
                with _Session(self._where, self._reach, self._context, self._believed) as session:
                    while not self._over:
                        self._once(session)
            except NOT_CIRCUSD as error:
                why = _why(error)
                while not self._asked.empty():  # nothing is to happen when nobody expects it
                    self._say(News(notice=f"{self._asked.get().words}: {why}"))
                self._say(News(source=why))
                self._wait(ASK)
        self._context.destroy(linger=0)

    def _once(self, session: _Session) -> None:
        session.ask_around()
        while not self._asked.empty():
            send = self._asked.get()
            try:
                self._say(News(notice=session.carry_out(send)))
            except CallError as error:
                self._say(News(notice=f"{send.words}: {error}"))
                raise
        if session.listen(self._woken):
            self._say(News(session.snapshot(), session.source))

    def _wait(self, seconds: float) -> None:
        poller = zmq.Poller()
        poller.register(self._woken, zmq.POLLIN)
        if poller.poll(int(seconds * 1000)):
            os.eventfd_read(self._woken)

    def _say(self, news: News) -> None:
        self.news.put(news)
        self._tell()


class _Session(Connection):
    """A connection that is asked in turn."""

    def __init__(
        self,
        where: Where,
        reach: Reach,
        context: zmq.Context[zmq.Socket[bytes]],
        believed: float,
    ) -> None:
        super().__init__(where, reach, context, believed + ASK)
        self._next = 0.0
        """When circusd is to be asked again."""
        self._fresh = False

    @property
    def source(self) -> str:
        """What there is to say about where the numbers come from."""
        return OFF if self.stats is None else ""

    def ask_around(self) -> None:
        """Ask circusd what it has to tell, when it is time to. Raises CallError."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + ASK
        self.subscribe()
        if self.client is None:
            return
        self.explain()
        if self.stats is None:
            self.measure()
            self.gatherer.take_sockets(self.ask("listsockets")["sockets"], time.monotonic())
        # what is published comes soon, and is shown with this
        self._fresh = time.monotonic() - self.published > SILENCE

    def listen(self, woken: int) -> bool:
        """Take in what is published, until it is time for something else; whether there is news."""
        poller = zmq.Poller()
        poller.register(woken, zmq.POLLIN)
        if self.stats is not None:
            poller.register(self.stats, zmq.POLLIN)
        wait = max(0, int(1000 * (self._next - time.monotonic())))
        while ready := dict(poller.poll(SETTLED_MS if self._fresh else wait)):
            if woken in ready:
                os.eventfd_read(woken)
                break
            self._fresh |= self.take()
        fresh, self._fresh = self._fresh, False
        return fresh

    def carry_out(self, send: Send) -> str:
        """What circusd says to a command, in a line."""
        if self.client is None:
            return f"{send.words}: there is no circusd to tell this"
        answer = self.client.call(make_message(send.command, **send.properties))
        self._next = 0.0
        reason = wire.reason(answer)
        return f"{send.words}: {'ok' if reason is None else reason}"


def _why(error: Exception) -> str:
    """What ended a connection, in words."""
    if isinstance(error, CallError | zmq.ZMQError):
        return str(error)
    return f"what answers is no circusd: {type(error).__name__}: {error}"
