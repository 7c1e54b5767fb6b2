"""A connection to a circusd and to its statistics."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, NamedTuple

import zmq

from circus import wire
from circus.client import CircusClient
from circus.exc import CallError
from circus.picture.gather import Gatherer
from circus.reach import find_endpoint
from circus.stats.client import BEGINNING, read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Self

    from circus.client import Reply
    from circus.picture.model import Snapshot
    from circus.reach import Reach

PATIENCE = 3.0
"""Seconds that circusd has for an answer."""

NOT_CIRCUSD = (CallError, zmq.ZMQError, ValueError, KeyError, TypeError, AttributeError)
"""What comes of endpoints where nobody answers, or somebody else does."""


class Where(NamedTuple):
    """The endpoints that somebody named; the others are found."""

    control: str | None = None
    stats: str | None = None


class Connection:
    """One to a circusd, until it does not answer any more. Belongs to one thread.

    Who names the endpoint of statistics alone may be let in to nothing else: then there are only
    these, and no `client`. Raises CallError when nobody is there. `believed`: seconds for which a
    process is shown of which nothing is heard; `patience`: seconds that an answer may take.
    """

    def __init__(
        self,
        where: Where,
        reach: Reach,
        context: zmq.Context[zmq.Socket[bytes]],
        believed: float,
        patience: float = PATIENCE,
    ) -> None:
        self._where = where
        self._reach = reach
        self._context = context
        self.gatherer = Gatherer(believed)
        self.client = self._connected(patience)
        self.stats: zmq.Socket[bytes] | None = None
        """Where statistics come in, once `subscribe` found any."""
        self.published = -math.inf
        """When statistics came last (monotonic)."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it."""
        if self.client is not None:
            self.client.stop()
        self.unsubscribe()

    # -- asking ------------------------------------------------

    def ask(self, command: str) -> Reply:
        """What circusd answers. Raises CallError when nothing comes, or a refusal."""
        if self.client is None:
            raise CallError("there is no circusd to tell this")
        answer = self.client.send_message(command)
        reason = wire.reason(answer)
        if reason is not None:
            raise CallError(reason)
        return answer

    def explain(self) -> Sequence[dict[str, Any]]:
        """Take in what watchers are doing, as `why` tells it. Raises CallError."""
        if self.client is None:
            return ()
        answer = self.client.send_message("why")
        if wire.reason(answer) is None:
            watchers: list[dict[str, Any]] = answer["watchers"]
        else:  # circus 0.19 does not know this
            statuses = self.ask("status")["statuses"]
            watchers = [{"name": name, "state": state} for name, state in statuses.items()]
        self.gatherer.explain(watchers)
        return watchers

    def measure(self) -> None:
        """Have circusd look at what processes use, where nobody publishes it. Raises CallError."""
        infos = self.ask("stats")["infos"]
        daemon = self.ask("dstats")["info"]
        self.gatherer.take_stats(infos, daemon, time.monotonic())

    def snapshot(self) -> Snapshot:
        """What is known at this moment."""
        return self.gatherer.snapshot(time.monotonic())

    # -- listening ------------------------------------------------

    def subscribe(self) -> None:
        """Listen to statistics, if there are any. Raises CallError when nobody knows of them."""
        if self.stats is not None:
            return
        endpoint = self._where.stats
        if endpoint is None and self.client is not None:
            endpoint = self.ask("globaloptions")["options"].get("stats_endpoint")
        if endpoint is None or self._reach.obstacle(endpoint) is not None:
            if self.client is None:
                raise CallError(f"Nobody publishes statistics at {endpoint}")
            return
        try:
            self._reach.way(endpoint)
        except CallError:  # on another machine, which only now can be seen
            if self.client is None:
                raise
            return
        self.stats = self.listener(endpoint, BEGINNING)

    def unsubscribe(self) -> None:
        """Listen to no statistics any more."""
        if self.stats is not None:
            self.stats.close(linger=0)
            self.stats = None

    def listener(self, endpoint: str, topic: str) -> zmq.Socket[bytes]:
        """A subscription to topics that begin so; whoever asks for it closes it."""
        sock = self._context.socket(zmq.SUB)
        try:
            sock.subscribe(topic.encode())
            way = self._reach.way(endpoint)
            self._reach.secure(sock, way)
            sock.connect(way)
        except BaseException:
            sock.close(linger=0)
            raise
        return sock

    def take(self) -> bool:
        """Take in the statistics that have come; whether there were some."""
        came = False
        while self.stats is not None and self.stats.poll(0):
            watcher, subtopic, message = read(self.stats.recv_multipart()[:2])
            self.published = time.monotonic()
            self.gatherer.take(watcher, subtopic, message, self.published)
            came = True
        return came

    def _connected(self, patience: float) -> CircusClient | None:
        endpoint = find_endpoint(self._where.control, through_ssh=self._reach.server is not None)
        obstacle = self._reach.obstacle(endpoint)
        if obstacle is not None:
            if self._where.stats is None:
                raise CallError(obstacle)
            return None
        return CircusClient(self._context, endpoint, patience, reach=self._reach)
