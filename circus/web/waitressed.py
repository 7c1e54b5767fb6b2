"""How waitress is set up so that nobody who connects can use it up."""

from __future__ import annotations

import logging
import resource
import socket
from collections import deque
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.web.settings import Settings

CONNECTIONS = 4096
"""Connections at the same time: far more than there are people, so that idle ones, which cost a
descriptor and some 10 KB each, keep nobody out."""
DESCRIPTORS = CONNECTIONS + 256
IDLE = 60
"""Seconds after which a connection is closed on which nothing happens."""
IN_MEMORY = 256 * 1024
"""Bytes of one answer that wait in memory for a reader; the others wait in a file."""
WAITING = 4 * 1024 * 1024
"""Bytes of one answer that wait for a reader at all. A write beyond it blocks its thread, so what
a stream sends at a time has to be less."""
HEAD_MOST = 32 * 1024
"""Bytes of a request before its body: so much of each connection that never gets on with it lies in
memory."""
STREAM = "/live"
AT_ONCE = 64
"""Connections that are taken before those that there are have their turn."""
UNREAD_MS = 30_000
"""Milliseconds after which the kernel ends a connection whose reader takes nothing: that frees the
thread of a write that blocks."""


class Tuned(TypedDict):
    """What `create_server` is given."""

    threads: int
    connection_limit: int
    channel_timeout: int
    cleanup_interval: int
    outbuf_overflow: int
    outbuf_high_watermark: int
    max_request_header_size: int
    asyncore_use_poll: bool
    log_socket_errors: bool


def tuned(settings: Settings) -> Tuned:
    """For `create_server`. Has the process allow itself the descriptors, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if most > soft != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    else:
        most = DESCRIPTORS if soft == resource.RLIM_INFINITY else min(soft, DESCRIPTORS)
    return {
        "threads": settings.threads,
        "connection_limit": min(CONNECTIONS, most // 2),
        "channel_timeout": IDLE,
        "cleanup_interval": IDLE // 4,
        "outbuf_overflow": IN_MEMORY,
        "outbuf_high_watermark": WAITING,
        "max_request_header_size": HEAD_MOST,
        "asyncore_use_poll": True,  # select() knows no descriptor beyond 1023
        "log_socket_errors": False,  # somebody has left
    }


def hasten(server: Any, unread_ms: int = UNREAD_MS) -> None:
    """Have streams wait behind all else, and the kernel see to readers that take nothing.

    Not those of a Unix socket, which are proxies of ours.
    """
    option = (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unread_ms)
    server.adj.socket_options = [*server.adj.socket_options, option]
    server.task_dispatcher.queue = Lanes()
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # a line for each that waits
    for one in (server, *getattr(server, "map", {}).values()):
        if hasattr(one, "handle_accept") and one.accepting:
            one.handle_accept = _accept_several(one)


def _accept_several(server: Any) -> Callable[[], None]:
    """waitress takes one connection each time that it has looked at all, which is slow for many."""
    accept_one = server.handle_accept

    def accept() -> None:
        for _ in range(AT_ONCE):
            before = len(server.active_channels)
            accept_one()
            if len(server.active_channels) == before:
                return

    return accept


class Lanes:
    """Requests that wait for a thread, in place of the queue of waitress' dispatcher.

    Those for a stream wait until no others do: a crowd that wants to be told of changes holds up
    nobody who asks for a page.
    """

    def __init__(self) -> None:
        self._asked: deque[Any] = deque()
        self._streams: deque[Any] = deque()

    def __len__(self) -> int:
        return len(self._asked) + len(self._streams)

    def append(self, channel: Any) -> None:
        """One more."""
        first = channel.requests[0]
        is_stream = getattr(first, "path", "") == STREAM  # what is no request has none
        (self._streams if is_stream else self._asked).append(channel)

    def popleft(self) -> Any:
        """The next. Raises IndexError."""
        return (self._asked or self._streams).popleft()
