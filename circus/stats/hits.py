"""How often connections come to the sockets that this process has been handed."""

from __future__ import annotations

import contextlib
import os
import select
import socket
from typing import TYPE_CHECKING, Any

from circus.gauges import queue

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable, Mapping

    Told = Mapping[str, Any]

REST = 0.01
"""Seconds between two looks, so that a flood of connections wakes nobody for each of them."""


class Hits:
    """Counts the hundredths of a second in which connections came, and wakes for nothing else.

    One that a worker accepts at once may go by unseen: this tells how busy a socket is, it does not
    count its connections. Belongs to the thread of `loop`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll = select.epoll()
        self._sockets: dict[int, tuple[socket.socket, dict[str, Any]]] = {}
        self._reads: dict[int, int] = {}
        self._again: asyncio.TimerHandle | None = None
        self._looking = False

    def watch(self, told: Iterable[Told]) -> None:
        """These and no other ones, as `listsockets` tells of them; those that we do not have, not.

        Of a socket that each worker has for itself there is none to look at.
        """
        self._forget()
        for one in told:
            sock = None if one.get("so_reuseport") else _ours(one)
            if sock is not None:
                self._sockets[sock.fileno()] = sock, {
                    "fd": one["fd"], "name": one["name"], "address": _address(sock),
                    "backlog": one["backlog"],
                }  # fmt: skip
                self._epoll.register(sock, select.EPOLLIN | select.EPOLLET)

    def take(self) -> list[dict[str, Any]]:
        """Of each: what it is, `reads` since the last time, and how many wait in its `queue`."""
        self._look()
        reads, self._reads = self._reads, {}
        return [
            {**about, "reads": reads.get(fd, 0), "queue": _waiting(sock)}
            for fd, (sock, about) in self._sockets.items()
        ]

    def pause(self) -> None:
        """Nobody wants to know."""
        if self._looking:
            self._looking = False
            self._loop.remove_reader(self._epoll)
        if self._again is not None:
            self._again.cancel()
            self._again = None
        self._reads.clear()

    def close(self) -> None:
        """For good."""
        self.pause()
        self._forget()
        self._epoll.close()

    def _look(self) -> None:
        self._again = None
        if not self._looking:
            self._looking = True
            self._loop.add_reader(self._epoll, self._on_hit)

    def _on_hit(self) -> None:
        for fd, _ in self._epoll.poll(0):
            self._reads[fd] = self._reads.get(fd, 0) + 1
        self._looking = False
        self._loop.remove_reader(self._epoll)
        self._again = self._loop.call_later(REST, self._look)

    def _forget(self) -> None:
        for sock, _ in self._sockets.values():
            self._epoll.unregister(sock)
            sock.close()
        self._sockets.clear()


def _ours(told: Told) -> socket.socket | None:
    """One more descriptor of it, when what we have under its number is that socket."""
    try:
        sock = socket.socket(fileno=os.dup(told["fd"]))
    except OSError:
        return None
    place = sock.getsockname()
    if place == told.get("path") or (isinstance(place, tuple) and place[1] == told.get("port")):
        return sock
    sock.close()
    return None


def _address(sock: socket.socket) -> str:
    place = sock.getsockname()
    return f"{place[0]}:{place[1]}" if isinstance(place, tuple) else str(place)


def _waiting(sock: socket.socket) -> int | None:
    with contextlib.suppress(OSError):
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return queue.waiting(sock)
    return None
