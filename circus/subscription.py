"""The events of circusd, taken in by a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zmq

from circus.exc import CallError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from circus.reach import Reach

AT_ONCE = 100
"""So many events are handed out before others in the loop have their turn."""


class Subscription:
    """Hands each event to `on_event` as `[topic, message]`, from the loop.

    ZeroMQ connects again by itself when circusd comes back. Raises CallError.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        endpoint: str,
        reach: Reach,
        loop: asyncio.AbstractEventLoop,
        on_event: Callable[[list[bytes]], None],
    ) -> None:
        self.socket = context.socket(zmq.SUB)
        self.socket.subscribe(b"watcher.")
        self._loop = loop
        self._on_event = on_event
        self._closed = False
        try:
            reach.secure(self.socket, endpoint)
            self.socket.connect(reach.way(endpoint))
        except zmq.ZMQError as error:
            self.socket.close(linger=0)
            raise CallError(f"cannot connect to {endpoint}: {error.strerror}") from error
        # the descriptor tells of changes only: what is there already has to be looked for
        loop.add_reader(self.socket.fileno(), self._take)
        loop.call_soon(self._take)

    def _take(self) -> None:
        for _ in range(AT_ONCE):
            if self._closed or not self.socket.poll(0):
                return
            self._on_event(self.socket.recv_multipart()[:2])
        self._loop.call_soon(self._take)

    def close(self) -> None:
        """Take no more."""
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self.socket.fileno())
            self.socket.close(linger=0)
