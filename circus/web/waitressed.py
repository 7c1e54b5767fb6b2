"""How waitress is set up so that nobody who connects can use it up."""

from __future__ import annotations

import resource
import socket
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from waitress.adjustments import Adjustments

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
    asyncore_use_poll: bool


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
        "asyncore_use_poll": True,  # select() knows no descriptor beyond 1023
    }


def hasten(adjustments: Adjustments) -> None:
    """Have the kernel see to readers that take nothing; a Unix socket's are our own proxies."""
    option = (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)
    adjustments.socket_options = [*adjustments.socket_options, option]
