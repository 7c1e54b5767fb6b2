"""Learns what circusd runs, in a thread of its own: no request waits for that."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import select
import socket
import threading
import time
from typing import TYPE_CHECKING

import zmq

from circus.client import TIMED_OUT
from circus.exc import CallError
from circus.picture.connection import NOT_CIRCUSD
from circus.reach import Reach
from circus.web.board import Board
from circus.web.history import OWN, History, Used
from circus.web.line import PATIENCE, Line
from circus.web.pace import Pace
from circus.web.state import State, daemon_of, sockets_of, watchers_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.web.controller import Controller

AGAIN = 0.5
"""Seconds between two tries to reach circusd."""
TICK = 1.0
"""Seconds after which readers are told that nothing has changed, at the latest."""
UNHEARD = "circusd has not been asked yet"

logger = logging.getLogger(__name__)


class Feed:
    """The present state on `board`, and the past in `history`. For any number of threads."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self.board = Board(self._empty())
        self.history = History()
        self._pace = Pace()
        self._woken = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._over = False
        self._elsewhere = False
        """Another circusd is to be asked."""

    def state(self) -> State:
        """What is known. Somebody looks: from now on it is kept fresh for a while."""
        self.look()
        return self.board.state

    def until(self, fact: Callable[[State], bool], seconds: float) -> State:
        """The same once that is so, or after so long. Blocks."""
        state, end = self.state(), time.monotonic() + seconds
        while not fact(state) and (left := end - time.monotonic()) > 0:
            self.board.wait(self.board.number(state.id) or 0, left)
            state = self.board.state
        return state

    def look(self) -> None:
        """Somebody is interested."""
        self.start()
        if self._pace.look(time.monotonic()):
            os.eventfd_write(self._woken, 1)

    def start(self) -> None:
        """Begin, if that has not happened in this process."""
        if self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            if not self._over and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
                self._thread.start()

    def connect(self, endpoint: str) -> None:
        """From now on another circusd is meant."""
        with self._lock:
            self._controller.connect(endpoint)
            self._elsewhere = True
            self.board.put(self._empty())
        os.eventfd_write(self._woken, 1)

    def close(self) -> None:
        """End, and let everybody go who waits. Returns once the thread is through."""
        with self._lock:
            self._over = True
            thread = self._thread
        self.board.close()
        os.eventfd_write(self._woken, 1)
        if thread is not None:
            thread.join(PATIENCE + AGAIN)

    # -- the thread ------------------------------------------------

    def _run(self) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        reach = Reach(self._controller.reach.server)
        try:
            while not self._over:
                try:
                    self._follow(context, reach)
                except NOT_CIRCUSD as error:
                    self._lost(_why(error))
                except Exception as error:
                    logger.exception("What circusd runs cannot be followed; trying again")
                    self._lost(f"the console fails: {error}")
                self._wait()
        finally:
            context.destroy(linger=0)
            reach.close()

    def _follow(self, context: zmq.Context[zmq.Socket[bytes]], reach: Reach) -> None:
        """One circusd, until another one is meant. Raises what tells that it is lost."""
        self._elsewhere = False
        with Line(self._controller.find(), reach, context, self._pace) as line:
            while not (self._over or self._elsewhere):
                line.ask_around()
                self._show(line)
                for topic, payload in line.listen(self._woken, TICK):
                    self._tell(topic, payload)
                self._show(line)

    def _show(self, line: Line) -> None:
        with self._lock:
            now, before = time.time(), self.board.state
            if self._elsewhere:
                return
            if line.fresh:
                self.board.put(self._seen(line, now, before))
                line.fresh = line.measured = False
            elif now - before.at >= TICK:
                self.board.put(dataclasses.replace(before, at=now))

    def _seen(self, line: Line, now: float, before: State) -> State:
        snapshot = line.snapshot()
        watchers = watchers_of(snapshot, line.explained, line.told_at, before.watchers)
        daemon = daemon_of(snapshot, line.version, line.explained)
        if not before.live:
            logger.info("circusd at %s answers", self._controller.endpoint)
        if line.measured:
            used = {name: Used(one.cpu, one.rss) for name, one in watchers.items()}
            self.history.add(now, {OWN: Used(daemon.cpu, daemon.rss), **used})
        return State(
            at=now,
            live=True,
            since=before.since if before.live else now,
            host=before.host,
            endpoint=self._controller.endpoint,
            daemon=daemon,
            watchers=watchers,
            sockets=sockets_of(line.listed, snapshot),
        )

    def _tell(self, topic: bytes, payload: bytes) -> None:
        try:
            message = json.loads(payload)
            self.board.happened(topic.decode(), message, message["time"], len(payload))
        except (ValueError, KeyError, TypeError):  # of somebody else's
            logger.debug("An event that cannot be read, of %s", self._controller.endpoint)

    def _lost(self, reason: str) -> None:
        with self._lock:
            now, before, endpoint = time.time(), self.board.state, self._controller.endpoint
            news = before.live or reason != before.reason
            if self._elsewhere or not (news or now - before.at >= TICK):
                return
            if news:
                logger.warning("Nothing is heard of circusd at %s: %s", endpoint, reason)
            since = before.at if before.live else before.since
            state = dataclasses.replace(before, at=now, live=False, reason=reason, since=since)
            self.board.put(dataclasses.replace(state, endpoint=endpoint))

    def _wait(self) -> None:
        if not (self._over or self._elsewhere) and select.select([self._woken], [], [], AGAIN)[0]:
            os.eventfd_read(self._woken)

    def _empty(self) -> State:
        host, endpoint = socket.gethostname(), self._controller.endpoint
        return State(at=time.time(), reason=UNHEARD, host=host, endpoint=endpoint)


def _why(error: Exception) -> str:
    """What kept us from hearing of circusd, in words for whoever wonders."""
    if isinstance(error, CallError):
        said = str(error).removeprefix(TIMED_OUT).strip()
        return said or "circusd does not answer in time"
    return f"what answers is no circusd, or an old one: {error or type(error).__name__}"
