"""The control socket and the event socket, on the daemon's loop.

ZeroMQ's descriptor tells of changes, not of a state: after every readable, and after every send,
its events have to be asked for until there are none, or the loop is never woken again.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import zmq

from circus import wire
from circus.control.access import CONTROL, EVENTS, anybody
from circus.control.bound import OURS, Bound, opened
from circus.control.zap import Zap
from circus.exc import CircusError, MessageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.access import Peer
    from circus.control.access import Gate, Identify
    from circus.host.socketfile import Access

    Handle = Callable[[bytes, Peer], bytes | asyncio.Future[bytes | None] | None]

logger = logging.getLogger(__name__)

BATCH = 32
"""Messages answered before the loop may do something else."""
PENDING_MAX = 10_000
"""Answers that may be outstanding at one time."""
LINGER_MS = 500
"""How long the last answers may take to leave."""

# plain numbers: work on zmq's own flags costs more than a send
_EVENTS = zmq.EVENTS
_POLLIN = int(zmq.POLLIN)
_NOBLOCK = int(zmq.NOBLOCK)
_NOBLOCK_MORE = int(zmq.NOBLOCK | zmq.SNDMORE)


class ControlServer:
    """Answers requests and publishes events. Everything here belongs to the loop's thread.

    `handle` gets a payload and who sent it, and returns the answer, a future of it, or None for no
    answer; it must not raise. `gate` tells who that is; without one, nobody is asked. `access` says
    whose the files of the sockets are. `listening` is a descriptor that listens at `endpoint`
    already: it becomes ours, its file does not. When more than `pending_max` answers are
    outstanding, the oldest is given up.
    """

    def __init__(
        self,
        endpoint: str,
        pubsub_endpoint: str,
        handle: Handle,
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        gate: Gate | None = None,
        access: Access = OURS,
        listening: int | None = None,
        pending_max: int = PENDING_MAX,
    ) -> None:
        self.endpoint = endpoint
        self.pubsub_endpoint = pubsub_endpoint
        self._handle = handle
        self._loop = loop or asyncio.get_running_loop()
        self._gate = gate
        self._bound = Bound(access)
        self._listening = listening
        self._identify: Identify = anybody
        self._zap: Zap | None = None
        self._unjudged: list[list[bytes]] = []
        self._pauses = False
        self._pending_max = pending_max
        self._context: zmq.Context[zmq.Socket[bytes]] | None = None
        self._sockets: list[zmq.Socket[bytes]] = []
        self._pending: dict[asyncio.Future[bytes | None], list[bytes]] = {}
        self._undelivered = 0
        self._again: asyncio.Handle | None = None

    def start(self) -> None:
        """Bind both sockets. Raises CircusError, ConflictError when another daemon has one."""
        self._context = context = zmq.Context()
        try:
            if self._gate is not None:
                self._zap = Zap(context, self._loop, self._gate.judge)
            self._router = self._opened(context, zmq.ROUTER)
            self._router.setsockopt(zmq.ROUTER_MANDATORY, 1)
            self._pub = self._opened(context, zmq.PUB)
            if self._gate is not None:
                self._identify = self._gate.guard(self._router, self.endpoint, CONTROL)
                self._gate.guard(self._pub, self.pubsub_endpoint, EVENTS)
            self._bound.bind(self._router, self.endpoint, "control", self._listening)
            self._bound.bind(self._pub, self.pubsub_endpoint, "event")
        except BaseException:
            self.close()
            raise
        # port 0 has become a number
        self.endpoint = self._router.get_string(zmq.LAST_ENDPOINT)
        self.pubsub_endpoint = self._pub.get_string(zmq.LAST_ENDPOINT)
        self._listen()

    def give(self, access: Access) -> None:
        """Let other people open the sockets from now on. Raises OSError."""
        self._bound.give(access)

    def publish(self, topic: bytes, message: bytes) -> None:
        """Tell all who subscribed; a subscriber who does not keep up misses it. Never blocks."""
        if self._context is not None:
            self._pub.send_multipart((topic, message), zmq.NOBLOCK)

    def pause(self) -> None:
        """Leave nobody without an answer; what is asked from now on waits for `resume`.

        It keeps its sockets and their connections, and needs its loop no more.
        """
        self._answer_the_rest()
        if self._again is not None:
            self._again.cancel()
            self._again = None
        for sock in self._sockets:
            self._loop.remove_reader(sock.FD)
        if self._zap is not None:
            self._unjudged = self._zap.pause()
        self._pauses = True

    def resume(self, handle: Handle, loop: asyncio.AbstractEventLoop, gate: Gate) -> None:
        """Go on after `pause`, on this loop, with all that has come meanwhile.

        For one that was made with a gate, and not where keys are asked for: those that it stood
        with are in its sockets.
        """
        self._handle = handle
        self._loop = loop
        self._gate = gate
        assert self._zap is not None  # noqa: S101 it was made with a gate
        self._zap.resume(loop, gate.judge, self._unjudged)
        self._listen()

    def close(self) -> None:
        """Leave nobody without an answer, then let go of sockets, paths and locks."""
        if self._context is None:
            return
        if not self._pauses:
            self.pause()
        if self._zap is not None:
            self._zap.close()
        context, self._context = self._context, None
        with self._bound.unbinding():
            context.destroy(linger=LINGER_MS)

    def _listen(self) -> None:
        self._pauses = False
        self._loop.add_reader(self._router.FD, self._on_readable)
        self._loop.add_reader(self._pub.FD, self._on_subscriptions)
        self._on_subscriptions()
        # soon, not now: what is there already may have waited for an engine that is being set up
        self._again = self._loop.call_soon(self._go_on)

    def _opened(self, context: zmq.Context[zmq.Socket[bytes]], kind: int) -> zmq.Socket[bytes]:
        sock = opened(context, kind)
        self._sockets.append(sock)
        return sock

    # -- requests -------------------------------------------------------------------------------

    def _on_readable(self) -> None:
        if self._again is None:  # otherwise they have their turn already
            self._answer_some()

    def _go_on(self) -> None:
        self._again = None
        self._answer_some()

    def _answer_some(self) -> None:
        """Answer what has come, and come back when there is more than the loop should wait for."""
        router = self._router
        for _ in range(BATCH):
            if not self._is_readable():
                return
            self._take(*_receive(router))
        self._again = self._loop.call_soon(self._go_on)

    def _take(self, frames: list[bytes], last: zmq.Frame) -> None:
        """`[id, json]` from a DEALER, `[id, …, "", json]` from a REQ; answered the same way."""
        if len(frames) > 1 and frames[-1]:
            unread = MessageError(f"message invalid: {len(frames)} frames where one is expected")
            # a REQ waits for an answer behind its empty frame, a DEALER for one alone
            self._send(frames[:2] if not frames[1] else frames[:1], _refusal(unread))
            return
        answer = self._handle(last.bytes, self._identify(last))
        if answer is None:
            return
        if isinstance(answer, bytes):
            self._send(frames, answer)
        else:
            if len(self._pending) >= self._pending_max:
                self._give_up_the_oldest()
            self._pending[answer] = frames
            answer.add_done_callback(self._answered)

    def _give_up_the_oldest(self) -> None:
        """Whoever asked has probably gone: nothing tells us that a client has."""
        oldest = next(iter(self._pending))
        envelope = self._pending.pop(oldest)
        oldest.cancel()
        many = f"no longer waited for: {self._pending_max} later requests wait for their answers"
        self._send(envelope, _refusal(CircusError(many)))

    def _answered(self, future: asyncio.Future[bytes | None]) -> None:
        envelope = self._pending.pop(future, None)
        if envelope is None or future.cancelled():
            return
        answer = future.result()
        if answer is not None:
            self._send(envelope, answer)
            self._look_again()

    def _answer_the_rest(self) -> None:
        for future in [one for one in self._pending if one.done()]:
            self._answered(future)
        for envelope in self._pending.values():
            self._send(envelope, _refusal(CircusError("circusd ends before this is done")))
        self._pending.clear()

    def _look_again(self) -> None:
        """A send may have swallowed the news that there is something to read."""
        if self._again is None and self._is_readable():
            self._again = self._loop.call_soon(self._go_on)

    def _is_readable(self) -> bool:
        return bool(int(self._router.get(_EVENTS)) & _POLLIN)

    def _send(self, envelope: list[bytes], answer: bytes) -> None:
        try:
            for frame in envelope:
                self._router.send(frame, _NOBLOCK_MORE)
            self._router.send(answer, _NOBLOCK)
        except zmq.ZMQError as error:
            self._undelivered += 1
            if self._undelivered & (self._undelivered - 1) == 0:  # ever rarer
                logger.info(
                    "Cannot deliver an answer: %s (%d so far)", error.strerror, self._undelivered
                )

    def _on_subscriptions(self) -> None:
        """Asking is what makes ZeroMQ take in new and lost subscribers."""
        _ = self._pub.EVENTS


def _receive(router: zmq.Socket[bytes]) -> tuple[list[bytes], zmq.Frame]:
    """A message that is there, its last frame apart: that one tells who sent it.

    `recv_multipart` takes three times as long.
    """
    frames = [router.recv(_NOBLOCK)]
    while True:
        frame = router.recv(_NOBLOCK, copy=False)
        if not frame.more:
            return frames, frame
        frames.append(frame.bytes)


def _refusal(error: CircusError) -> bytes:
    return wire.failure(error, None, time.time())
