"""Listening sockets that the daemon holds for its workers."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from typing import TYPE_CHECKING

from circus.exc import CircusError

if TYPE_CHECKING:
    from circus.config.model import SocketConfig

LISTENING = (socket.SOCK_STREAM, socket.SOCK_SEQPACKET)


class CircusSocket:
    """One managed socket. It owns its descriptor, and its path once it has bound it."""

    def __init__(self, config: SocketConfig) -> None:
        self.config = config
        self.name = config.name
        self.backlog = config.backlog
        self.path = config.path
        family = "AF_UNIX" if config.path else config.family.upper()
        proto = socket.getprotobyname(config.proto) if config.proto else 0
        self.host: str | None = None
        self.port: int | None = None
        self._bound = False
        self._sock = socket.socket(
            socket.AddressFamily[family], socket.SocketKind[config.type.upper()], proto
        )
        self._sock.setblocking(config.blocking)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if config.so_reuseport:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if config.interface:
            self._sock.setsockopt(
                socket.SOL_SOCKET, socket.SO_BINDTODEVICE, config.interface.encode()
            )

    @property
    def fd(self) -> int:
        """The number that workers find it under."""
        return self._sock.fileno()

    def bind_and_listen(self) -> None:
        """Raises CircusError with the address and the reason. May resolve a host name."""
        try:
            if self.path:
                self._bind_path(self.path)
            else:
                self._bind_address()
            if self._sock.type in LISTENING:
                self._sock.listen(self.backlog)
        except OSError as error:
            self.close()
            raise CircusError(
                f"cannot bind socket {self.name!r} to {self.location}: {error.strerror or error}"
            ) from error
        self._bound = True

    @property
    def location(self) -> str:
        """`host:port` or the path."""
        if self.path:
            return self.path
        return f"{self.host or self.config.host}:{self.port or self.config.port}"

    def close(self) -> None:
        """Give the descriptor back, and remove the path if it was us who made it."""
        self._sock.close()
        if self.path and self._bound:
            with contextlib.suppress(OSError):
                os.unlink(self.path)

    def _bind_address(self) -> None:
        found = socket.getaddrinfo(
            self.config.host, self.config.port, self._sock.family, self._sock.type
        )
        self._sock.bind(found[0][4])
        self.host, self.port = self._sock.getsockname()[:2]

    def _bind_path(self, path: str) -> None:
        if self.config.replace:
            with contextlib.suppress(FileNotFoundError):
                if stat.S_ISSOCK(os.lstat(path).st_mode):
                    os.unlink(path)
        if self.config.umask is None:
            self._sock.bind(path)
            return
        previous = os.umask(self.config.umask)
        try:
            self._sock.bind(path)
        finally:
            os.umask(previous)
