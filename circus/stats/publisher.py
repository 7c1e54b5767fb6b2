"""The endpoint that statistics are published at, and what those who listen want."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

import zmq

from circus.access import Grants, Peer, others, role_of
from circus.control.access import EVENTS, Curve, Gate, ownership
from circus.control.bound import Bound, opened
from circus.control.keys import server_secret
from circus.control.zap import Zap
from circus.stats.messages import overlap

if TYPE_CHECKING:
    from collections.abc import Mapping

SUBSCRIBED = 1
"""The first byte of what ZeroMQ says when somebody begins to listen."""


class Publisher:
    """Belongs to the thread of `loop`. Who may look at circusd may listen, and nobody else.

    `curve_keys` is the folder of keys that a `tcp://` endpoint takes nothing but.
    """

    def __init__(
        self,
        endpoint: str,
        grants: Grants,
        curve_keys: str | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Binds. Raises CircusError. Reads files, and may ask a name service: at the start."""
        self.wanted = asyncio.Event()
        """Set as long as anybody listens."""
        self._loop = loop
        self._topics: set[str] = set()
        curve = None if curve_keys is None else Curve(server_secret(curve_keys), curve_keys)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._bound = Bound(ownership(others(grants, ())))
        gate = Gate(loop, lambda peer: _may_look(peer, grants), curve)
        self._zap = Zap(self._context, loop, gate.judge)
        self._socket = opened(self._context, zmq.XPUB)
        try:
            gate.guard(self._socket, endpoint, EVENTS)
            self._bound.bind(self._socket, endpoint, "stats")
        except BaseException:
            self._let_go()
            raise
        loop.add_reader(self._socket.FD, self._on_subscriptions)

    def wants(self, beginning: str) -> bool:
        """Whether anybody listens to anything that begins so."""
        return any(overlap(topic, beginning) for topic in self._topics)

    def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        """Tell all who listen; who does not keep up misses it. Never blocks."""
        self._socket.send_multipart((topic.encode(), json.dumps(message).encode()), zmq.NOBLOCK)

    def end_of_round(self) -> None:
        """After something was published: a send may swallow the news of subscriptions."""
        self._on_subscriptions()

    def close(self) -> None:
        """Tell nobody anything more."""
        self._loop.remove_reader(self._socket.FD)
        self._let_go()

    def _let_go(self) -> None:
        self._zap.close()
        with self._bound.unbinding():
            self._context.destroy(linger=0)

    def _on_subscriptions(self) -> None:
        # the descriptor tells of changes only: see control/server.py
        while int(self._socket.get(zmq.EVENTS)) & int(zmq.POLLIN):
            message = self._socket.recv(zmq.NOBLOCK)
            topic = message[1:].decode("utf-8", "replace")
            if message[:1] == bytes((SUBSCRIBED,)):
                self._topics.add(topic)
            else:
                self._topics.discard(topic)
        if self._topics:
            self.wanted.set()
        else:
            self.wanted.clear()


def _may_look(peer: Peer, grants: Grants) -> bool:
    return role_of(peer, grants, os.geteuid()) is not None
