"""The one class that talks to circusd."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import zmq

from circus import wire
from circus.client import TIMED_OUT, CircusClient
from circus.exc import CallError, CircusError
from circus.reach import Reach, find_endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.client import Reply

TIMEOUT = 5.0
"""Seconds that circusd has for an answer."""
PLACES = 8
"""Requests that may wait for something that takes its time; each holds a thread meanwhile."""
TURNS = 6
"""Others that ask at the same time. It answers one after the other, so more gain nothing; and while
it hangs, no more threads hang with it."""
TURN = 1.0
"""Seconds that they wait for their turn."""
CROWDED = "too many requests wait already; try again"


class Refused(CircusError):
    """circusd says no; the message is its reason, `number` its `errno`, `word` its `code`."""

    def __init__(self, reason: str, number: int, word: str = "") -> None:
        super().__init__(reason)
        self.number = number
        self.word = word
        """Empty with a circusd that is too old to tell."""


class Late(CallError):
    """circusd is there, and has not answered in time."""


class Crowded(CallError):
    """Too many wait already."""


class Controller:
    """Asks circusd. For any number of threads: each has a connection of its own."""

    def __init__(self, endpoint: str | None = None, ssh_server: str | None = None) -> None:
        self._named = endpoint
        self.reach = Reach(ssh_server)
        self.endpoint = self.find()
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.places = threading.BoundedSemaphore(PLACES)
        self._turns = threading.Semaphore(TURNS)
        self._connections = threading.local()

    def call(self, verb: str, /, **properties: Any) -> Reply:
        """What circusd answers. Raises CallError when nothing comes, Refused when it says no.

        Blocks for TURN and TIMEOUT at most.
        """
        return self.ask(verb, properties)

    def ask(self, verb: str, properties: Mapping[str, Any], *, seconds: float = TIMEOUT) -> Reply:
        """The same, for so many seconds at most. Raises Late when somebody is there at least."""
        if not self._turns.acquire(timeout=TURN):
            raise Crowded(CROWDED)
        try:
            return self._ask(verb, properties, seconds)
        finally:
            self._turns.release()

    def ask_patiently(self, verb: str, properties: Mapping[str, Any], *, seconds: float) -> Reply:
        """The same for what takes its time, in one of PLACES. Raises Crowded at once."""
        self.take_place()
        try:
            return self._ask(verb, properties, seconds)
        finally:
            self.places.release()

    def _ask(self, verb: str, properties: Mapping[str, Any], seconds: float) -> Reply:
        client = self._client()
        client.timeout = seconds
        try:
            answer = client.send_message(verb, **properties)
        except CallError as error:
            if str(error) == TIMED_OUT:
                raise Late(f"circusd has not answered within {seconds:g} s") from error
            raise
        reason = wire.reason(answer)
        if reason is not None:
            raise Refused(reason, int(answer.get("errno", 0)), str(answer.get("code", "")))
        return answer

    def find(self) -> str:
        """The endpoint to use: the one that was named, or the usual one that is alive now."""
        self.endpoint = find_endpoint(self._named, through_ssh=self.reach.server is not None)
        return self.endpoint

    def connect(self, endpoint: str) -> None:
        """From now on another circusd is meant."""
        self._named = self.endpoint = endpoint

    def take_place(self) -> None:
        """Whoever calls it releases one of `places` in the end. Raises Crowded."""
        if not self.places.acquire(blocking=False):
            raise Crowded(CROWDED)

    def close(self) -> None:
        """Let go of all connections; nothing may be under way."""
        self.context.destroy(linger=0)
        self.reach.close()

    def _client(self) -> CircusClient:
        client: CircusClient | None = getattr(self._connections, "client", None)
        if client is None or client.endpoint != self.endpoint:
            if client is not None:
                client.stop()
            client = CircusClient(self.context, self.endpoint, TIMEOUT, reach=self.reach)
            self._connections.client = client
        return client
