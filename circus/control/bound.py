"""Endpoints that are bound: with the files, the owners and the locks that go with them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import zmq

from circus import wire
from circus.control.paths import PathLock, listen_at, make_own_directory
from circus.endpoints import ipc_path
from circus.exc import CircusError
from circus.host.socketfile import PRIVATE, Access

if TYPE_CHECKING:
    from collections.abc import Iterator

FRAME_BYTES_MAX = 16 * wire.LIMIT_BYTES
"""Whoever sends more in one frame is cut off; up to here they are told."""
BACKLOG = 1024
"""Connections that may wait to be taken."""
OURS = Access(mode=PRIVATE)


def opened(context: zmq.Context[zmq.Socket[bytes]], kind: int) -> zmq.Socket[bytes]:
    """A socket that anybody may connect to, not bound yet."""
    sock = context.socket(kind)
    sock.setsockopt(zmq.LINGER, 0)
    sock.setsockopt(zmq.BACKLOG, BACKLOG)
    sock.setsockopt(zmq.MAXMSGSIZE, FRAME_BYTES_MAX)
    return sock


class Bound:
    """What one process has bound. `access` says whose the files of `ipc://` endpoints are."""

    def __init__(self, access: Access = OURS) -> None:
        self._access = access
        self._locks: list[PathLock] = []

    def bind(
        self, sock: zmq.Socket[bytes], endpoint: str, what: str, listening: int | None = None
    ) -> None:
        """Raises CircusError, ConflictError when somebody else has it; `what` is its name there.

        `listening` is a descriptor that listens there already: it becomes ours, its file does not.
        """
        path = ipc_path(endpoint)
        try:
            if path is not None and listening is None:
                self._lock(path)
                listening = listen_at(path, self._access, BACKLOG)
            if listening is not None:
                # ZeroMQ closes it with the socket
                sock.setsockopt(zmq.USE_FD, listening)
            sock.bind(endpoint)
        except (zmq.ZMQError, OSError) as error:
            raise CircusError(
                f"cannot bind the {what} endpoint {endpoint}: {error.strerror}"
            ) from error
        except CircusError as error:
            raise type(error)(f"cannot bind the {what} endpoint {endpoint}: {error}") from error

    def give(self, access: Access) -> None:
        """Let other people open the sockets from now on. Raises OSError."""
        if access != self._access:
            self._access = access
            for lock in self._locks:
                access.give(lock.path)

    @contextlib.contextmanager
    def unbinding(self) -> Iterator[None]:
        """Close the sockets in the block: their files go before it, their locks after it."""
        for lock in self._locks:
            lock.remove_socket()
        yield
        while self._locks:
            self._locks.pop().release()

    def _lock(self, path: str) -> None:
        make_own_directory(path)
        lock = PathLock(path)
        lock.acquire()
        self._locks.append(lock)
