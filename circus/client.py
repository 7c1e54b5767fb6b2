"""Ask a daemon: `CircusClient` waits for the answer, `AsyncCircusClient` awaits it."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any

import zmq

from circus import wire
from circus.exc import CallError
from circus.reach import Reach, find_endpoint

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Sequence

    import zmq.asyncio

Reply = dict[str, Any]

TIMED_OUT = "Timed out."

_PING = "numwatchers"
"""The cheapest question there is, also to circus 0.19."""
_PING_ID = "ping"
_BUSY_MS = 100
"""Pause before a daemon that is busy is asked again."""


def make_message(command: str, **props: Any) -> dict[str, Any]:
    """A request as a mapping, for `call`."""
    return wire.message(command, props)


def cast_message(command: str, **props: Any) -> dict[str, Any]:
    """A request that the daemon does not answer."""
    return wire.cast(command, props)


def make_json(command: str, **props: Any) -> bytes:
    """A request as it goes over the wire."""
    return wire.encode(wire.message(command, props))


class CircusClient:
    """One connection to a daemon's control endpoint. Not for several threads at once.

    Without an `endpoint` it looks where the command line does. `timeout`: seconds to wait for an
    answer; a daemon that is only just starting may take that long to appear. `ssh_server`,
    `user@host[:port]`: the endpoint is one of that machine, reached with the `ssh` of this one,
    which takes as long as it takes to let the user in. `reach`: a way that others use too, and
    that whoever made it closes. `curve_key`: a file of keys, or a folder with one, for a `tcp://`
    endpoint that lets only keys in; $CIRCUSCTL_CURVE unless given.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]] | None = None,
        endpoint: str | None = None,
        timeout: float = 5.0,
        ssh_server: str | None = None,
        ssh_keyfile: str | None = None,
        *,
        curve_key: str | None = None,
        reach: Reach | None = None,
    ) -> None:
        self.endpoint = endpoint or find_endpoint(through_ssh=ssh_server is not None)
        self.timeout = timeout
        self._reach = reach or Reach(ssh_server, ssh_keyfile, curve_key)
        self._shared = reach is not None
        self._owned = context is None
        try:
            way = self._reach.way(self.endpoint)
            self.context = context or zmq.Context()
            secure = self._reach.secure
            self.socket = _connect(self.context, way, self.endpoint, secure, owned=self._owned)
        except CallError:
            if not self._shared:
                self._reach.close()
            raise

    def send_message(self, command: str, **props: Any) -> Reply:
        """Ask by name and properties; the answer is a mapping, also when it says no."""
        return self.call(make_message(command, **props))

    def call(self, cmd: Reply, *, patient: bool = False) -> Reply:
        """Ask with a whole message. Raises CallError when no answer comes.

        `patient`: wait as long as the daemon is alive, which is seen from its answers to other
        questions meanwhile, or says that it is busy. A cast is sent and gets an empty answer.
        """
        (answer,) = self.call_all([cmd], patient=patient)
        if answer is None:
            raise CallError(self.silence())
        return answer

    def call_all(self, cmds: Sequence[Reply], *, patient: bool = False) -> list[Reply | None]:
        """Ask with several messages at once: the answers in their order.

        None stands for an answer that did not come in time; `timeout` counts from the one before.
        """
        answers = self._ask(cmds, patient=patient)
        while patient and (
            busy := [at for at, one in enumerate(answers) if one and wire.busy(one)]
        ):
            self.socket.poll(_BUSY_MS)
            again = self._ask([cmds[at] for at in busy], patient=True)
            for at, answer in zip(busy, again, strict=True):
                answers[at] = answer
        return answers

    def _ask(self, cmds: Sequence[Reply], *, patient: bool) -> list[Reply | None]:
        answers: list[Reply | None] = [None] * len(cmds)
        waiting: dict[str, int] = {}
        for at, cmd in enumerate(cmds):
            request_id, payload = _prepare(cmd)
            self._send(payload)
            if wire.is_cast(cmd):
                answers[at] = {}
            else:
                waiting[request_id] = at
        self._receive(waiting, answers, patient=patient)
        return answers

    def silence(self) -> str:
        """What to tell when no answer came: that, and why if it can be seen."""
        obstacle = self._reach.obstacle(self.endpoint)
        return f"{TIMED_OUT} {obstacle}" if obstacle else TIMED_OUT

    def stop(self) -> None:
        """Close the connection."""
        self.socket.close(linger=0)
        if self._owned:
            self.context.destroy(linger=0)
        if not self._shared:
            self._reach.close()

    def _send(self, payload: bytes) -> None:
        try:
            self.socket.send(payload, zmq.NOBLOCK)
        except zmq.ZMQError as error:
            silence = self.silence()
            told = f"cannot send: {error.strerror}" if silence == TIMED_OUT else silence
            raise CallError(told) from error

    def _receive(
        self, waiting: dict[str, int], answers: list[Reply | None], *, patient: bool
    ) -> None:
        deadline = time.monotonic() + self.timeout
        pinged = False
        while waiting:
            payload = self._next(deadline)
            if payload is None:
                if not patient or pinged:
                    return
                self._send(wire.with_id(wire.message(_PING, {}), _PING_ID))
                pinged = True
                deadline = time.monotonic() + self.timeout
                continue
            request_id, answer = _read(payload, waiting)
            if answer is not None:
                answers[waiting.pop(request_id)] = answer
            if answer is not None or pinged:  # it lives
                pinged = False
                deadline = time.monotonic() + self.timeout

    def _next(self, deadline: float) -> bytes | None:
        """What comes until `deadline`, None when nothing does."""
        try:
            if not self.socket.poll(max(0.0, deadline - time.monotonic()) * 1000):
                return None
            payload: bytes = self.socket.recv_multipart()[-1]
            return payload
        except zmq.ZMQError as error:
            raise CallError(f"cannot receive: {error.strerror}") from error


class AsyncCircusClient:
    """The same, to be awaited; `stop` too. Any number of calls may be under way at once.

    `timeout` None waits for an answer for ever. With `ssh_server`, the first call connects.
    """

    def __init__(
        self,
        context: zmq.asyncio.Context | None = None,
        endpoint: str | None = None,
        timeout: float | None = 5.0,
        ssh_server: str | None = None,
        ssh_keyfile: str | None = None,
        *,
        curve_key: str | None = None,
        reach: Reach | None = None,
    ) -> None:
        import zmq.asyncio

        self.endpoint = endpoint or find_endpoint(through_ssh=ssh_server is not None)
        self.timeout = timeout
        self._reach = reach or Reach(ssh_server, ssh_keyfile, curve_key)
        self._shared = reach is not None
        self._owned = context is None
        self.context = context or zmq.asyncio.Context()
        self.socket: zmq.asyncio.Socket | None = None
        self._connecting: asyncio.Future[None] | None = None
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._reader: asyncio.Future[None] | None = None
        if self._reach.server is None:
            self.socket = self._connect(self.endpoint)

    async def send_message(self, command: str, **props: Any) -> Reply:
        """Ask by name and properties; the answer is a mapping, also when it says no."""
        return await self.call(make_message(command, **props))

    async def call(self, cmd: Reply) -> Reply:
        """Ask with a whole message. Raises CallError when no answer comes."""
        import asyncio

        request_id, payload = _prepare(cmd)
        sock = await self._connected()
        if wire.is_cast(cmd):
            await sock.send(payload)
            return {}
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = answer
        try:
            async with asyncio.timeout(self.timeout):
                await sock.send(payload)
                if self._reader is None:
                    self._reader = asyncio.ensure_future(self._read(sock))
                return await answer
        except TimeoutError:
            raise CallError(TIMED_OUT) from None
        finally:
            self._waiting.pop(request_id, None)

    async def stop(self) -> None:
        """Close the connection; calls that are under way fail."""
        if self._connecting is not None:  # it is not to come up behind us
            with contextlib.suppress(CallError):
                await self._connecting
        self._fail(CallError("the connection has been closed"))
        if self._reader is not None:
            self._reader.cancel()
        if self.socket is not None:
            self.socket.close(linger=0)
        if self._owned:
            self.context.destroy(linger=0)
        if not self._shared:
            self._reach.close()

    async def _connected(self) -> zmq.asyncio.Socket:
        import asyncio

        if self.socket is None:
            if self._connecting is None:
                self._connecting = asyncio.ensure_future(self._through_ssh())
            await asyncio.shield(self._connecting)
        assert self.socket is not None  # noqa: S101 what that was for
        return self.socket

    async def _through_ssh(self) -> None:
        import asyncio

        try:
            way = await asyncio.to_thread(self._reach.way, self.endpoint)
            self.socket = self._connect(way)
        finally:
            self._connecting = None

    def _connect(self, way: str) -> zmq.asyncio.Socket:
        secure = self._reach.secure
        sock: zmq.asyncio.Socket = _connect(
            self.context, way, self.endpoint, secure, owned=self._owned
        )
        return sock

    async def _read(self, sock: zmq.asyncio.Socket) -> None:
        """Hand out answers for as long as somebody waits."""
        try:
            while self._waiting:
                request_id, answer = _read((await sock.recv_multipart())[-1], self._waiting)
                if answer is not None and not self._waiting[request_id].done():
                    self._waiting.pop(request_id).set_result(answer)
        except (CallError, zmq.ZMQError) as error:
            self._fail(CallError(f"cannot receive: {error}"))
        finally:
            self._reader = None

    def _fail(self, error: CallError) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(error)


# -- shared -------------------------------------------------------------------------------------


def _connect(
    context: Any, way: str, endpoint: str, secure: Callable[[Any, str], None], *, owned: bool
) -> Any:
    sock = context.socket(zmq.DEALER)
    sock.setsockopt(zmq.IDENTITY, os.urandom(16).hex().encode())
    sock.setsockopt(zmq.LINGER, 0)
    # what is asked at once may be more than ZeroMQ keeps by itself
    sock.setsockopt(zmq.SNDHWM, 0)
    sock.setsockopt(zmq.RCVHWM, 0)
    try:
        secure(sock, endpoint)
        sock.connect(way)
        return sock
    except zmq.ZMQError as error:
        refused = CallError(f"cannot connect to {way}: {error.strerror}")
    except CallError as error:
        refused = error
    sock.close()
    if owned:
        context.term()
    raise refused


def _prepare(cmd: object) -> tuple[str, bytes]:
    if not isinstance(cmd, dict):
        raise DeprecationWarning("call() takes a mapping")
    request_id = os.urandom(16).hex()
    try:
        return request_id, wire.with_id(cmd, request_id)
    except ValueError as error:
        raise CallError(f"cannot write the message: {error}") from error


def _read(payload: bytes, waiting: Collection[str]) -> tuple[str, Reply | None]:
    try:
        return wire.answer_to(payload, waiting)
    except ValueError as error:
        raise CallError(f"cannot read the answer: {error}") from error
