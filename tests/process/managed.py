"""Managed sockets for tests: made, bound, and connected to."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circus.config.mapping import socket_from_mapping
from circus.config.model import SocketConfig
from circus.sockets import CircusSocket, CircusSockets

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCAL = {"host": "127.0.0.1", "port": 0}


def config(name: str = "s", **options: Any) -> SocketConfig:
    return socket_from_mapping(name, options if "path" in options else {**LOCAL, **options})


@contextlib.contextmanager
def bound(**options: Any) -> Iterator[CircusSocket]:
    with contextlib.closing(CircusSocket.from_config(config(**options))) as sock:
        sock.bind_and_listen()
        yield sock


def add(sockets: CircusSockets, **options: Any) -> CircusSocket:
    """Bind one and put it in its place."""
    one = config(**options)
    sockets.prepare({one.name: one}).commit()
    return sockets[one.name]


def connect(sock: CircusSocket) -> socket.socket:
    client = socket.socket(sock.family, sock.type)
    client.settimeout(20)
    try:
        client.connect(sock.path or (sock.host, sock.port))
    except OSError:
        client.close()
        raise
    return client


def descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)
