"""Whom plugins talk to: a statsd server, an HTTP server."""

from __future__ import annotations

import os
import re
import socket
import threading
from typing import TYPE_CHECKING, Self

import pytest

from tests.support import only_if, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REDIS = "/usr/bin/redis-check-rdb"
"""Redis itself, under the other name that Debian's redis-tools has for it."""
needs_redis = only_if(os.path.exists(REDIS), "Redis is in the package redis-tools")
LINE = re.compile(r"([^:|@\s]+):(-?[0-9.]+(?:e[+-][0-9]+)?)\|(c|g|ms)(?:\|@(0\.[0-9]+))?")
"""What statsd understands: bucket, value, kind, sample rate."""


class Sink:
    """A statsd server that keeps all it is sent, and understands every line."""

    def __init__(self) -> None:
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.found: list[tuple[str, float, str]] = []
        """Bucket, value and kind, in the order in which they came."""
        self.odd: list[str] = []
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while data := self._socket.recv(4096):
            match = LINE.fullmatch(data.decode())
            if match is None:
                self.odd.append(data.decode())
            else:
                self.found.append((match[1], float(match[2]), match[3]))

    def values(self, bucket: str) -> list[float]:
        """What came for a bucket."""
        return [value for name, value, _ in list(self.found) if name == bucket]

    def wait(self, bucket: str, *, after: int = 0) -> float:
        """The first value of a bucket, or the one after so many, once it has come."""
        found: list[float] = wait_until(lambda: self.values(bucket)[after:])
        return found[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()
        assert self.odd == []


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as found:
        yield found


class Web:
    """An HTTP server that says what `answer` gives for each connection, or hangs on None."""

    def __init__(self, answer: Callable[[], bytes | None]) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"
        self._held: list[socket.socket] = []
        self.asked = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self._socket.accept()
            except OSError:  # it is over
                return
            one.settimeout(20)
            one.recv(4096)
            self.asked.set()
            text = self._answer()
            if text is None:
                self._held.append(one)
            else:
                one.sendall(text)
                one.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for one in (self._socket, *self._held):
            one.close()
