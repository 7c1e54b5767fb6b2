"""The console's connection to one circusd: asks it in turn, hears its events and statistics."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import zmq

from circus.picture.connection import Connection, Where
from circus.web.pace import Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from circus.reach import Reach
    from circus.web.pace import Pace

PATIENCE = 1.8
"""Seconds that circusd has for an answer: with PING before it is missed within three."""
BELIEVED = 5.0
"""Seconds for which a number is shown of which nothing is heard."""
SILENCE = 3.0
"""Seconds without statistics after which circusd is asked for them."""
SETTLED = 0.05
"""Seconds in which nothing comes when all that is published at a time has come."""
ROUND = 0.5
"""Seconds after which what has come is shown even so."""
AT_ONCE = 500
"""Events that are taken before something else has its turn."""


class Line(Connection):
    """Belongs to one thread. All but `close` raise what NOT_CIRCUSD names once it is of no use."""

    def __init__(
        self, endpoint: str, reach: Reach, context: zmq.Context[zmq.Socket[bytes]], pace: Pace
    ) -> None:
        super().__init__(Where(endpoint), reach, context, BELIEVED, PATIENCE)
        self.pace = pace
        self.explained: Sequence[dict[str, Any]] = ()
        """What `why` told last,"""
        self.told_at = 0.0
        """and when (epoch seconds)."""
        self.listed: Sequence[dict[str, Any]] = ()
        """What `listsockets` told last."""
        self.version = ""
        self.fresh = False
        """Something came that has not been shown."""
        self.measured = False
        """So did figures."""
        self._events: zmq.Socket[bytes] | None = None
        self._subscribed_at = 0.0
        pace.begin()

    def close(self) -> None:
        """Let go of it."""
        super().close()
        if self._events is not None:
            self._events.close(linger=0)
            self._events = None

    def ask_around(self) -> None:
        """Whatever is due."""
        now = time.monotonic()
        if self._events is None:
            endpoint = self.ask("globaloptions")["options"]["pubsub_endpoint"]
            self._events = self.listener(endpoint, "watcher.")
        if self.pace.due(Question.WHY, now):
            self.explained = self.explain()
            self.told_at = time.time()
            self._answered(Question.WHY, now)
        elif self.pace.silent(now):
            self.ask("numwatchers")
            self.pace.heard(time.monotonic())
        if self.pace.due(Question.REST, now):
            self.listed = self.ask("listsockets")["sockets"]
            self.version = str(self.ask("dstats").get("version", ""))
            self._answered(Question.REST, now)
        self._see_to_figures()

    def listen(self, woken: int, seconds: float) -> list[list[bytes]]:
        """Take in what is told, for so long or until something is due; events as they came.

        `woken` is a descriptor that tells of something else.
        """
        poller = zmq.Poller()
        for one in (woken, self._events, self.stats):
            if one is not None:
                poller.register(one, zmq.POLLIN)
        now = time.monotonic()
        until = now + min(seconds, self.pace.rest(now))
        last = until
        while ready := dict(poller.poll(max(0, int(1000 * (until - now))))):
            if woken in ready:
                os.eventfd_read(woken)
                return []
            if self._events in ready:
                return self._take_events()
            now = time.monotonic()
            self.take()
            last = last if self.measured else min(last, now + ROUND)
            self.fresh = self.measured = True
            until = min(last, now + SETTLED)
        return []

    def _take_events(self) -> list[list[bytes]]:
        self.pace.soon(Question.WHY)
        self.pace.heard(time.monotonic())
        found: list[list[bytes]] = []
        while self._events is not None and len(found) < AT_ONCE and self._events.poll(0):
            found.append(self._events.recv_multipart()[:2])
        return found

    def _see_to_figures(self) -> None:
        """Listen to those that are published, or else have circusd look."""
        now = time.monotonic()
        listens = self.pace.listens(now)
        if not listens:
            self.unsubscribe()
        elif self.stats is None and self.pace.due(Question.FIGURES, now):
            self.subscribe()
            self._subscribed_at = time.monotonic()
        if self.stats is not None:
            silent = now - max(self.published, self._subscribed_at) > SILENCE
        else:
            silent = listens or self.published < 0
        if silent and self.pace.due(Question.FIGURES, now):
            self.measure()
            self.measured = True
            self._answered(Question.FIGURES, now)

    def _answered(self, question: Question, asked: float) -> None:
        self.pace.answered(question, asked, time.monotonic())
        self.fresh = True
