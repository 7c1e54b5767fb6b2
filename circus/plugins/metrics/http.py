"""A page for whoever scrapes, over HTTP: as little of it as that takes."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import stat
from collections.abc import Awaitable, Callable

from circus.exc import ArgumentError, CircusError

HEAD_BYTES = 8192
"""A request may be this long."""
PATIENCE = 10.0
"""Seconds that somebody has to say what they want, and to take it."""
AT_ONCE = 20
"""So many may be served at a time."""

Page = Callable[[str], Awaitable[tuple[str, str]]]
"""From what is accepted to its type and the text."""


def listening(place: str) -> socket.socket:
    """A socket at `unix:/path`, `127.0.0.1:9779` or `[::1]:9779`. Raises CircusError."""
    try:
        if place.startswith("unix:"):
            path = place.removeprefix("unix:")
            if _is_left(path):
                os.unlink(path)
            return socket.create_server(path, family=socket.AF_UNIX)
        host, colon, port = place.rpartition(":")
        if not colon or not host or not port.isdecimal():
            raise ArgumentError(f"listen: {place!r} is neither HOST:PORT nor unix:PATH")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host.strip("[]"), int(port)), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CircusError(f"cannot listen at {place}: {reason}") from error


def _is_left(path: str) -> bool:
    """Whether the socket of an earlier one is there, at which nobody listens any more."""
    if not os.path.exists(path) or not stat.S_ISSOCK(os.stat(path).st_mode):
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0)  # one that lives may have no time for us
        return probe.connect_ex(path) == errno.ECONNREFUSED


class Server:
    """Answers `GET /metrics` at a socket, which it closes. One answer for each connection."""

    def __init__(self, sock: socket.socket, page: Page) -> None:
        self._socket = sock
        self._page = page
        self._served = 0
        self._server: asyncio.Server

    async def begin(self) -> None:
        """Take connections; until then they wait."""
        self._server = await asyncio.start_server(self._serve, sock=self._socket)

    def close(self) -> None:
        """Take no more, of what has begun."""
        path = self._socket.getsockname() if self._socket.family == socket.AF_UNIX else ""
        self._server.close()
        self._socket.close()
        if path:
            with contextlib.suppress(OSError):
                os.unlink(path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._served += 1
        try:
            if self._served <= AT_ONCE:
                async with asyncio.timeout(PATIENCE):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(await self._answer(head.decode("latin-1")))
                    await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass  # they have gone, or never said what they wanted
        finally:
            self._served -= 1
            writer.close()

    async def _answer(self, head: str) -> bytes:
        first, _, rest = head.partition("\r\n")
        method, _, target = first.partition(" ")
        path = target.partition(" ")[0].partition("?")[0]
        if method not in ("GET", "HEAD"):
            return _whole("405 Method Not Allowed", "text/plain", "only GET\n")
        if path != "/metrics":
            return _whole("404 Not Found", "text/plain", "there is /metrics\n")
        lines = (line.partition(":") for line in rest.split("\r\n"))
        accepted = ",".join(value for name, _, value in lines if name.lower() == "accept")
        kind, text = await self._page(accepted)
        return _whole("200 OK", kind, text, with_body=method == "GET")


def _whole(status: str, kind: str, text: str, *, with_body: bool = True) -> bytes:
    body = text.encode("utf-8", "replace")
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("latin-1") + (body if with_body else b"")
