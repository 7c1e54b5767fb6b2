"""Those who ask, as plainly as can be, so that what is measured is who answers.

`python clients.py ENDPOINT COUNT SECONDS` lets so many ask for the status at once.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

import zmq

if TYPE_CHECKING:
    from collections.abc import Sequence

PATIENCE = 10.0
CHEAPEST = "numwatchers"
"""What costs the two circuses least, and what the floor answers."""
_CALL = (
    b"<?xml version='1.0'?><methodCall><methodName>supervisor.getState</methodName></methodCall>"
)
_HEAD = b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n"


class Silent(OSError):
    """No answer in time."""


class Connection(Protocol):
    """One client, one question at a time."""

    pollable: Any
    """What zmq.Poller takes."""

    def send(self) -> None:
        """Ask."""

    def receive(self) -> bytes:
        """The answer. Raises Silent when there is none in time."""

    def close(self) -> None:
        """Hang up."""


class ZmqConnection:
    """Asks a circusd, or the floor."""

    def __init__(self, endpoint: str, command: str = CHEAPEST, **properties: Any) -> None:
        self.pollable: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
        self.pollable.setsockopt(zmq.LINGER, 0)
        self.pollable.setsockopt(zmq.RCVTIMEO, int(PATIENCE * 1000))
        self.pollable.connect(endpoint)
        asked = {"command": command, "properties": properties, "id": "x"}
        self._question = json.dumps(asked).encode()

    def send(self) -> None:
        """Ask."""
        self.pollable.send(self._question)

    def receive(self) -> bytes:
        """The answer."""
        try:
            return self.pollable.recv_multipart()[-1]
        except zmq.Again:
            raise Silent(f"no answer within {PATIENCE:.0f} s") from None

    def close(self) -> None:
        """Hang up."""
        self.pollable.close()


class HttpConnection:
    """Asks a supervisord."""

    def __init__(self, path: str) -> None:
        self.pollable = socket.socket(socket.AF_UNIX)
        self.pollable.settimeout(PATIENCE)
        self.pollable.connect(path)

    def send(self) -> None:
        """Ask."""
        self.pollable.sendall(_HEAD % len(_CALL) + _CALL)

    def receive(self) -> bytes:
        """The answer."""
        text = b""
        while True:
            more = self.pollable.recv(65536)
            if not more:
                raise Silent("hung up")
            text += more
            head, end, body = text.partition(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
            if end and len(body) >= int(length):
                return body

    def close(self) -> None:
        """Hang up."""
        self.pollable.close()


def connect(address: str) -> Connection:
    """Somebody to ask the cheapest question there."""
    scheme, _, path = address.partition("://")
    return HttpConnection(path) if scheme == "http+unix" else ZmqConnection(address)


def one_after_another(connection: Connection, count: int) -> list[float]:
    """Seconds of each of so many questions."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        connection.send()
        connection.receive()
        times.append(time.perf_counter() - began)
    return times


def all_at_once(connections: Sequence[Connection], seconds: float) -> float:
    """Answers in a second, when each asks again as soon as it is answered."""
    poller = zmq.Poller()
    askers = {}
    for one in connections:
        poller.register(one.pollable, zmq.POLLIN)
        askers[one.pollable if isinstance(one, ZmqConnection) else one.pollable.fileno()] = one
        one.send()
    answers, waiting = 0, set(askers.values())
    began = time.perf_counter()
    until = began + seconds
    while waiting:
        ready = poller.poll(int(PATIENCE * 1000))
        if not ready:
            raise Silent(f"no answer within {PATIENCE:.0f} s")
        for pollable, _ in ready:
            asker = askers[pollable]
            asker.receive()
            answers += 1
            if time.perf_counter() < until:
                asker.send()
            else:
                waiting.discard(asker)
    return answers / (time.perf_counter() - began)


def main() -> None:
    """Do what the command line says."""
    endpoint, count, seconds = sys.argv[1:]
    everybody = [ZmqConnection(endpoint, "status") for _ in range(int(count))]
    all_at_once(everybody, float(seconds))


if __name__ == "__main__":
    main()
