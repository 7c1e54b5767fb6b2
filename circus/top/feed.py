"""Asks circusd and listens to circusd-stats, in a thread: the screen never waits."""

from __future__ import annotations

import math
import os
import queue
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

import zmq

from circus import wire
from circus.client import CircusClient, make_message
from circus.exc import CallError
from circus.reach import find_endpoint
from circus.stats.client import BEGINNING, read
from circus.top.gather import Gatherer

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.client import Reply
    from circus.reach import Reach
    from circus.top.model import Snapshot
    from circus.top.state import Send

ASK = 2.0
"""Seconds between two questions to circusd."""
SETTLED_MS = 100
"""So long nothing comes when all that is told at a time has come."""
SILENCE = 1.5
"""Seconds without a word from circusd-stats after which nobody waits for one."""
PATIENCE = 3.0
"""Seconds that circusd has for an answer."""
OFF = (
    "No statistics are published, so circusd itself is asked: set stats_endpoint in [circus], "
    "then restart circusd"
)

NOT_CIRCUSD = (CallError, zmq.ZMQError, ValueError, KeyError, TypeError)
"""What comes of endpoints where nobody answers, or somebody else does."""


class News(NamedTuple):
    """What the screen is to show: one of these, or several."""

    snapshot: Snapshot | None = None
    source: str = ""
    notice: str = ""


class Where(NamedTuple):
    """The endpoints that somebody named; the others are found."""

    control: str | None
    stats: str | None


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
                while not self._asked.empty():  # nothing is to happen when nobody expects it
                    self._say(News(notice=f"{self._asked.get().words}: {error}"))
                self._say(News(source=str(error)))
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


class _Session:
    """One connection to a circusd and to its statistics, until it does not answer any more.

    Who names the endpoint of statistics alone may be let in to nothing else: then there are only
    these. Raises CallError when nobody is there.
    """

    def __init__(
        self,
        where: Where,
        reach: Reach,
        context: zmq.Context[zmq.Socket[bytes]],
        believed: float,
    ) -> None:
        self._where = where
        self._reach = reach
        self._context = context
        self._gatherer = Gatherer(believed + ASK)
        self._client = self._connected()
        self._stats: zmq.Socket[bytes] | None = None
        self._next = 0.0
        """When circusd is to be asked again."""
        self._fresh = False
        self._heard = -math.inf
        """When something was published last."""

    def __enter__(self) -> _Session:
        return self

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.stop()
        if self._stats is not None:
            self._stats.close(linger=0)

    @property
    def source(self) -> str:
        """What there is to say about where the numbers come from."""
        return OFF if self._stats is None else ""

    def snapshot(self) -> Snapshot:
        """What is known at this moment."""
        return self._gatherer.snapshot(time.monotonic())

    def ask_around(self) -> None:
        """Ask circusd what it has to tell, when it is time to. Raises CallError."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + ASK
        if self._stats is None:
            self._stats = self._subscribed()
        if self._client is None:
            return
        self._gatherer.explain(_asked(self._client, "why")["watchers"])
        if self._stats is None:
            infos = _asked(self._client, "stats")["infos"]
            daemon = _asked(self._client, "dstats")["info"]
            self._gatherer.take_stats(infos, daemon, time.monotonic())
            sockets = _asked(self._client, "listsockets")["sockets"]
            self._gatherer.take_sockets(sockets, time.monotonic())
        # what is published comes soon, and is shown with this
        self._fresh = time.monotonic() - self._heard > SILENCE

    def listen(self, woken: int) -> bool:
        """Take in what is published, until it is time for something else; whether there is news."""
        poller = zmq.Poller()
        poller.register(woken, zmq.POLLIN)
        if self._stats is not None:
            poller.register(self._stats, zmq.POLLIN)
        wait = max(0, int(1000 * (self._next - time.monotonic())))
        while ready := dict(poller.poll(SETTLED_MS if self._fresh else wait)):
            if woken in ready:
                os.eventfd_read(woken)
                break
            if self._stats is not None:
                self._take(self._stats)
        fresh, self._fresh = self._fresh, False
        return fresh

    def carry_out(self, send: Send) -> str:
        """What circusd says to a command, in a line."""
        if self._client is None:
            return f"{send.words}: there is no circusd to tell this"
        answer = self._client.call(make_message(send.command, **send.properties))
        self._next = 0.0
        reason = wire.reason(answer)
        return f"{send.words}: {'ok' if reason is None else reason}"

    def _take(self, stats: zmq.Socket[bytes]) -> None:
        while stats.poll(0):
            watcher, subtopic, message = read(stats.recv_multipart()[:2])
            self._heard = time.monotonic()
            self._gatherer.take(watcher, subtopic, message, self._heard)
            self._fresh = True

    def _connected(self) -> CircusClient | None:
        endpoint = find_endpoint(self._where.control, through_ssh=self._reach.server is not None)
        obstacle = self._reach.obstacle(endpoint)
        if obstacle is not None:
            if self._where.stats is None:
                raise CallError(obstacle)
            return None
        return CircusClient(self._context, endpoint, PATIENCE, reach=self._reach)

    def _subscribed(self) -> zmq.Socket[bytes] | None:
        """None when there are no statistics. Raises CallError when nobody says where they are."""
        endpoint = self._where.stats
        if endpoint is None and self._client is not None:
            endpoint = _asked(self._client, "globaloptions")["options"]["stats_endpoint"]
        if endpoint is None or self._reach.obstacle(endpoint) is not None:
            if self._client is None:
                raise CallError(f"Nobody publishes statistics at {endpoint}")
            return None
        try:
            way = self._reach.way(endpoint)
        except CallError:  # on another machine, which only now can be seen
            if self._client is None:
                raise
            return None
        sock = self._context.socket(zmq.SUB)
        sock.subscribe(BEGINNING.encode())
        self._reach.secure(sock, way)
        sock.connect(way)
        return sock


def _asked(client: CircusClient, command: str) -> Reply:
    answer = client.send_message(command)
    reason = wire.reason(answer)
    if reason is not None:
        raise CallError(reason)
    return answer
