"""ZeroMQ asks here before it lets a connection through (rfc.zeromq.org/spec/27)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NamedTuple

import zmq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Judge = Callable[["Knock"], asyncio.Future[str | None] | str | None]

logger = logging.getLogger(__name__)

ENDPOINT = "inproc://zeromq.zap.01"
VERSION = b"1.0"
FRAMES = 6
"""Version, id, domain, address, identity, mechanism; then what that mechanism brings."""


class Knock(NamedTuple):
    """Somebody wants a connection."""

    domain: str
    address: str
    mechanism: str
    credentials: tuple[bytes, ...]


class Zap:
    """Has every connection of a context judged, on the loop.

    `judge` gives the name that all messages of the connection carry as their `User-Id`, or None to
    refuse it, or a future of these; it must not raise.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        loop: asyncio.AbstractEventLoop,
        judge: Judge,
    ) -> None:
        self._open: dict[asyncio.Future[str | None], list[bytes]] = {}
        self._socket = context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.bind(ENDPOINT)
        self.resume(loop, judge)

    def pause(self) -> list[list[bytes]]:
        """Judge nobody; what is returned has to be told to `resume`."""
        self._loop.remove_reader(self._socket.FD)
        unjudged = list(self._open.values())
        for future in list(self._open):
            future.cancel()
        self._open.clear()
        return unjudged

    def resume(
        self,
        loop: asyncio.AbstractEventLoop,
        judge: Judge,
        unjudged: Iterable[list[bytes]] = (),
    ) -> None:
        """Go on, on this loop, with these first."""
        self._loop = loop
        self._judge = judge
        loop.add_reader(self._socket.FD, self._on_readable)
        for frames in unjudged:
            self._take(frames)
        loop.call_soon(self._on_readable)

    def close(self) -> None:
        """For one that pauses: whoever waits still is never let in."""
        self._socket.close()

    def _on_readable(self) -> None:
        # the descriptor tells of changes only: see server.py
        while not self._socket.closed and int(self._socket.get(zmq.EVENTS)) & int(zmq.POLLIN):
            self._take(self._socket.recv_multipart(zmq.NOBLOCK))

    def _take(self, frames: list[bytes]) -> None:
        after = frames.index(b"") + 1
        envelope, request = frames[:after], frames[after:]
        if len(request) < FRAMES or request[0] != VERSION:
            return  # nothing of ZeroMQ's own
        domain, address, _, mechanism = (part.decode("ascii", "replace") for part in request[2:6])
        knock = Knock(domain, address, mechanism, tuple(request[FRAMES:]))
        reply_to = [*envelope, VERSION, request[1]]
        verdict = self._judge(knock)
        if isinstance(verdict, asyncio.Future):
            self._open[verdict] = frames
            verdict.add_done_callback(lambda future: self._judged(future, reply_to))
        else:
            self._reply(reply_to, verdict)

    def _judged(self, future: asyncio.Future[str | None], reply_to: list[bytes]) -> None:
        if self._open.pop(future, None) is None:
            return  # `pause` was first: it is judged anew, or never
        if (error := future.exception()) is not None:
            logger.warning("Cannot tell who connects: %s", error)
        self._reply(reply_to, None if error is not None else future.result())
        self._on_readable()

    def _reply(self, reply_to: list[bytes], name: str | None) -> None:
        status, text = (b"400", b"Not allowed") if name is None else (b"200", b"OK")
        self._socket.send_multipart([*reply_to, status, text, (name or "").encode(), b""])
