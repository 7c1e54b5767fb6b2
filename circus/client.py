"""Ask a daemon: `CircusClient` waits for the answer, `AsyncCircusClient` awaits it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import zmq

from circus import wire
from circus.endpoints import candidates, ipc_path
from circus.exc import CallError

if TYPE_CHECKING:
    import zmq.asyncio

TIMED_OUT = "Timed out."

_PING = "numwatchers"
"""The cheapest question there is, also to circus 0.19."""
_PING_ID = "ping"


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
    answer; a daemon that is only just starting may take that long to appear.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]] | None = None,
        endpoint: str | None = None,
        timeout: float = 5.0,
        ssh_server: str | None = None,
        ssh_keyfile: str | None = None,
    ) -> None:
        _refuse_ssh(ssh_server, ssh_keyfile)
        self.endpoint = endpoint or find_endpoint()
        self.timeout = timeout
        self._owned = context is None
        self.context = context or zmq.Context()
        self.socket = _connect(self.context, self.endpoint, owned=self._owned)

    def send_message(self, command: str, **props: Any) -> dict[str, Any]:
        """Ask by name and properties; the answer is a mapping, also when it says no."""
        return self.call(make_message(command, **props))

    def call(self, cmd: dict[str, Any], *, patient: bool = False) -> dict[str, Any]:
        """Ask with a whole message. Raises CallError when no answer comes.

        `patient`: wait as long as the daemon is alive, which is seen from its answers to other
        questions meanwhile. A cast is sent and gets an empty answer.
        """
        request_id, payload = _prepare(cmd)
        self._send(payload)
        if wire.is_cast(cmd):
            return {}
        return self._receive(request_id, patient=patient)

    def stop(self) -> None:
        """Close the connection."""
        self.socket.close(linger=0)
        if self._owned:
            self.context.destroy(linger=0)

    def _send(self, payload: bytes) -> None:
        try:
            self.socket.send(payload, zmq.NOBLOCK)
        except zmq.ZMQError as error:
            raise CallError(self._silence() or f"cannot send: {error.strerror}") from error

    def _receive(self, request_id: str, *, patient: bool) -> dict[str, Any]:
        deadline = time.monotonic() + self.timeout
        pinged = False
        while True:
            payload = self._next(deadline)
            if payload is None:
                if not patient or pinged:
                    raise CallError(self._silence())
                self._send(wire.with_id(wire.message(_PING, {}), _PING_ID))
                pinged = True
                deadline = time.monotonic() + self.timeout
                continue
            answer = _read(payload, request_id)
            if answer is not None:
                return answer
            if pinged:  # it lives
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

    def _silence(self) -> str:
        obstacle = unreachable(self.endpoint)
        return f"{TIMED_OUT} {obstacle}" if obstacle else TIMED_OUT


class AsyncCircusClient:
    """The same, to be awaited; `stop` too."""

    def __init__(
        self,
        context: zmq.asyncio.Context | None = None,
        endpoint: str | None = None,
        timeout: float | None = 5.0,
        ssh_server: str | None = None,
        ssh_keyfile: str | None = None,
    ) -> None:
        import zmq.asyncio

        _refuse_ssh(ssh_server, ssh_keyfile)
        self.endpoint = endpoint or find_endpoint()
        self.timeout = timeout
        self._owned = context is None
        self.context = context or zmq.asyncio.Context()
        self.socket = _connect(self.context, self.endpoint, owned=self._owned)

    async def send_message(self, command: str, **props: Any) -> dict[str, Any]:
        """Ask by name and properties; the answer is a mapping, also when it says no."""
        return await self.call(make_message(command, **props))

    async def call(self, cmd: dict[str, Any]) -> dict[str, Any]:
        """Ask with a whole message. Raises CallError when no answer comes."""
        import asyncio

        request_id, payload = _prepare(cmd)
        await self.socket.send(payload)
        if wire.is_cast(cmd):
            return {}
        try:
            async with asyncio.timeout(self.timeout):
                while True:
                    answer = _read((await self.socket.recv_multipart())[-1], request_id)
                    if answer is not None:
                        return answer
        except TimeoutError:
            raise CallError(TIMED_OUT) from None

    async def stop(self) -> None:
        """Close the connection."""
        self.socket.close(linger=0)
        if self._owned:
            self.context.destroy(linger=0)


# -- where the daemon is ------------------------------------------------------------------------


def find_endpoint(explicit: str | None = None) -> str:
    """The control endpoint to use: named, or the first of the usual ones that is alive.

    When none is, the first that is not simply missing, so that complaints are about that one.
    """
    found = candidates(explicit, os.environ, os.geteuid())
    if len(found) == 1:
        return found[0]
    there = [endpoint for endpoint in found if _is_ours(ipc_path(endpoint))]
    for endpoint in there:
        if unreachable(endpoint) is None:
            return endpoint
    return (there if ipc_path(there[0]) else found)[0]


def unreachable(endpoint: str) -> str | None:
    """Why nobody can be talked to there, None when somebody listens. May take a second."""
    path = ipc_path(endpoint)
    try:
        if path is not None:
            _probe(path)
        else:
            import socket

            host, port = _host_and_port(endpoint)
            socket.create_connection((host, port), timeout=1.0).close()
    except (FileNotFoundError, ConnectionRefusedError):
        return f"No circusd listens at {endpoint}; is it running?"
    except PermissionError as error:
        return f"Permission denied on {error.filename or endpoint}; it belongs to another user."
    except BlockingIOError:  # there are many before us
        return None
    except (OSError, ValueError) as error:
        return f"Cannot reach {endpoint}: {error}"
    return None


def _probe(path: str) -> None:
    """Raises OSError when nobody listens. With what `socket` is made of: that is at hand sooner."""
    from _socket import AF_UNIX, SOCK_NONBLOCK, SOCK_STREAM, socket

    probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK)
    try:
        probe.connect(path)
    finally:
        probe.close()


def _is_ours(path: str | None) -> bool:
    """Whether something is there, and nobody else can have put it there to lure us."""
    if path is None:
        return True
    folder = os.path.dirname(path)
    try:
        anybody = os.stat(os.path.dirname(folder)).st_mode & 0o002
        if anybody and os.stat(folder).st_uid not in (0, os.geteuid()):
            return False
    except OSError:
        return False
    return os.path.lexists(path)


def _host_and_port(endpoint: str) -> tuple[str, int]:
    scheme, _, rest = endpoint.partition("://")
    host, colon, port = rest.rpartition(":")
    if scheme != "tcp" or not colon:
        raise ValueError("an endpoint is ipc:///path or tcp://host:port")
    return host.strip("[]"), int(port)


# -- shared -------------------------------------------------------------------------------------


def _connect(context: Any, endpoint: str, *, owned: bool) -> Any:
    sock = context.socket(zmq.DEALER)
    sock.setsockopt(zmq.IDENTITY, os.urandom(16).hex().encode())
    sock.setsockopt(zmq.LINGER, 0)
    try:
        sock.connect(endpoint)
    except zmq.ZMQError as error:
        sock.close()
        if owned:
            context.term()
        raise CallError(f"cannot connect to {endpoint}: {error.strerror}") from error
    return sock


def _prepare(cmd: object) -> tuple[str, bytes]:
    if not isinstance(cmd, dict):
        raise DeprecationWarning("call() takes a mapping")
    request_id = os.urandom(16).hex()
    try:
        return request_id, wire.with_id(cmd, request_id)
    except ValueError as error:
        raise CallError(f"cannot write the message: {error}") from error


def _read(payload: bytes, request_id: str) -> dict[str, Any] | None:
    try:
        return wire.answer(payload, request_id)
    except ValueError as error:
        raise CallError(f"cannot read the answer: {error}") from error


def _refuse_ssh(server: str | None, keyfile: str | None) -> None:
    if server or keyfile:
        raise CallError("cannot connect through ssh: tunnels are not supported yet")
