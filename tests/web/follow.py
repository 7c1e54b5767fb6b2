"""Somebody who reads the stream of a console."""

from __future__ import annotations

import json
import re
import socket
import time
from typing import TYPE_CHECKING, Any

from circus.web.deltas import merged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from tests.web.console import Browser


def open_stream(
    browser: Browser, last: str = "", headers: Mapping[str, str] | None = None
) -> socket.socket:
    """Ask for a stream, from the message `last` on, and read nothing."""
    sock = socket.create_connection(("127.0.0.1", browser.port), timeout=30)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    head = ("GET /live HTTP/1.1", f"Host: localhost:{browser.port}", f"Cookie: {cookies}")
    more = [f"{name}: {value}" for name, value in (headers or {}).items()]
    sock.sendall("\r\n".join((*head, f"Last-Event-ID: {last}", *more, "", "")).encode())
    return sock


def follow(
    browser: Browser,
    last: str = "",
    known: dict[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Follower:
    """Read a stream, from the message `last` on for who knows what was `known` by then."""
    return Follower(open_stream(browser, last, headers), known or {})


class Follower:
    """What a browser knows."""

    def __init__(self, sock: socket.socket, known: dict[str, Any]) -> None:
        self.state = known
        self.last = ""
        self.snapshots = 0
        self.happened: list[str] = []
        self.crowded = False
        self._sock = sock
        self._file = sock.makefile("rb")
        head = b"".join(iter(self._file.readline, b"\r\n"))
        assert head.startswith(b"HTTP/1.1 200 "), head
        assert re.search(rb"content-type: text/event-stream", head, re.IGNORECASE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Read no more."""
        self._file.close()
        self._sock.close()

    def shut(self) -> None:
        """Have whoever reads meanwhile come to the end."""
        self._sock.shutdown(socket.SHUT_RDWR)

    def watcher(self, name: str) -> dict[str, Any]:
        """What is known of one; nothing when there is none."""
        found: dict[str, Any] = self.state.get("watchers", {}).get(name, {})
        return found

    def until(self, fact: Callable[[], Any], *, within: float = 20.0) -> None:
        """Read until it is so."""
        until = time.monotonic() + within
        while not fact():
            assert time.monotonic() < until, self.state
            assert self.read(), "the stream has ended"

    def to_the_end(self) -> None:
        """Read all that comes."""
        while self.read():
            pass

    def read(self) -> bool:
        """One message, which is one chunk or a part of one; whether there was any."""
        fields: dict[str, str] = {}
        while line := self._file.readline():
            text = line.decode().rstrip("\n")
            if re.fullmatch(r"[0-9A-F]+\r|\r|: .*|retry: .*", text):  # of HTTP, or to be ignored
                continue
            if text:
                name, _, value = text.partition(": ")
                fields[name] = value
            elif fields:
                self._take(fields)
                return True
        return False

    def _take(self, fields: dict[str, str]) -> None:
        self.last = fields.get("id", self.last)
        data = json.loads(fields["data"])
        event = fields["event"]
        if event == "snapshot":
            self.state = data
            self.snapshots += 1
        elif event == "delta":
            self.state = merged(self.state, data)
        elif event == "happened":
            self.happened.append(data["topic"])
        else:
            self.crowded = event == "crowded"
