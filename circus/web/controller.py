"""The one class that talks to circusd."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import zmq

from circus import wire
from circus.client import CircusClient
from circus.exc import CircusError
from circus.reach import Reach, find_endpoint

if TYPE_CHECKING:
    from circus.client import Reply

TIMEOUT = 5.0
"""Seconds that circusd has for an answer."""


class Refused(CircusError):
    """circusd says no; the message is its reason, `number` its `errno` for it."""

    def __init__(self, reason: str, number: int) -> None:
        super().__init__(reason)
        self.number = number


class Controller:
    """Asks circusd. For any number of threads: each has a connection of its own."""

    def __init__(self, endpoint: str | None = None, ssh_server: str | None = None) -> None:
        self.endpoint = endpoint or find_endpoint(through_ssh=ssh_server is not None)
        self.reach = Reach(ssh_server)
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._connections = threading.local()

    def call(self, verb: str, /, **properties: Any) -> Reply:
        """What circusd answers. Raises CallError when nothing comes, Refused when it says no.

        Blocks for TIMEOUT at most.
        """
        answer = self._client().send_message(verb, **properties)
        reason = wire.reason(answer)
        if reason is not None:
            raise Refused(reason, int(answer.get("errno", 0)))
        return answer

    def close(self) -> None:
        """Let go of all connections; nothing may be under way."""
        self.context.destroy(linger=0)
        self.reach.close()

    def _client(self) -> CircusClient:
        client: CircusClient | None = getattr(self._connections, "client", None)
        if client is None:
            client = CircusClient(self.context, self.endpoint, TIMEOUT, reach=self.reach)
            self._connections.client = client
        return client
