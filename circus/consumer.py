"""Events of a daemon, one after the other."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import zmq

from circus.endpoints import SYSTEM_DIRECTORY, default_endpoints
from circus.exc import CallError
from circus.reach import Reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Event = tuple[bytes, bytes]
"""Topic and message, which is JSON."""


class CircusConsumer:
    """Iterate over it: a (topic, message) for each event, until `stop`.

    `topics`: beginnings of topics, or a single one; `""` is the beginning of all. Without an
    `endpoint` it is the event endpoint of the usual daemon, with `ssh_server` the one of that
    machine. `timeout`: seconds after which a `stop` from another thread is noticed at the latest.
    As a context manager it stops at the end. Connecting may block; raises CallError.
    """

    def __init__(
        self,
        topics: Iterable[str | bytes] | str | bytes,
        context: zmq.Context[zmq.Socket[bytes]] | None = None,
        endpoint: str | None = None,
        ssh_server: str | None = None,
        timeout: float = 1.0,
        ssh_keyfile: str | None = None,
        *,
        curve_key: str | None = None,
    ) -> None:
        self.topics = [topics] if isinstance(topics, str | bytes) else list(topics)
        self.endpoint = endpoint or _usual(through_ssh=ssh_server is not None)
        self.timeout = timeout
        self._going = True
        self._in_use = threading.Lock()
        """Held by whoever uses the socket: it must not be closed under another thread's hands."""
        self._reach = Reach(ssh_server, ssh_keyfile, curve_key)
        try:
            way = self._reach.way(self.endpoint)
        except CallError:
            self._reach.close()
            raise
        self._owned = context is None
        self.context = context or zmq.Context()
        self.pubsub_socket = self.context.socket(zmq.SUB)
        for topic in self.topics:
            self.pubsub_socket.subscribe(topic)
        try:
            self._reach.secure(self.pubsub_socket, way)
            self.pubsub_socket.connect(way)
        except CallError:
            self._close()
            raise
        except zmq.ZMQError as error:
            self._close()
            raise CallError(f"cannot connect to {self.endpoint}: {error.strerror}") from error

    def __enter__(self) -> CircusConsumer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __iter__(self) -> Iterator[Event]:
        return self.iter_messages()

    def iter_messages(self) -> Iterator[Event]:
        """Events as they come. Blocks between them."""
        while True:
            with self._in_use:
                event = self._next() if self._going else None
                if not self._going:
                    self._close()
                    return
            if event is not None:
                yield event

    def stop(self) -> None:
        """End the iteration and the connection; may be called from another thread."""
        self._going = False
        if self._in_use.acquire(blocking=False):  # else whoever iterates will close
            try:
                self._close()
            finally:
                self._in_use.release()

    def _next(self) -> Event | None:
        """The next within `timeout`."""
        if not self.pubsub_socket.poll(int(self.timeout * 1000)):
            return None
        topic, message = self.pubsub_socket.recv_multipart()[:2]
        return topic, message

    def _close(self) -> None:
        self.pubsub_socket.close(linger=0)
        if self._owned:
            self.context.destroy(linger=0)
        self._reach.close()


def _usual(*, through_ssh: bool) -> str:
    if through_ssh:
        return f"ipc://{SYSTEM_DIRECTORY}/pubsub"
    return default_endpoints(os.environ, os.geteuid()).pubsub
