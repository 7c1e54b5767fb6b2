"""One listening socket: made, bound, adjusted, closed."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any, Self

from circus.config.mapping import socket_from_mapping
from circus.exc import CircusError, SpawnError
from circus.gauges import queue
from circus.host import identity
from circus.host.socketfile import Access, SocketFile, beside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.config.model import SocketConfig

LISTENING = (socket.SOCK_STREAM, socket.SOCK_SEQPACKET)


class CircusSocket(socket.socket):
    """One managed socket. It owns its descriptor, and its path once it has bound it.

    Values may be text, as in a file. Making one looks names up, which may block; it raises
    ConfigError for values that cannot be, CircusError for what cannot be had here.
    """

    def __init__(
        self,
        name: str = "",
        host: str = "localhost",
        port: int | str = 8080,
        family: int | str = socket.AF_INET,
        type: int | str = socket.SOCK_STREAM,
        proto: int | str = 0,
        backlog: int | str = 2048,
        path: str | os.PathLike[str] | None = None,
        umask: int | str | None = None,
        replace: bool | str = False,  # noqa: FBT001, FBT002
        interface: str | None = None,
        so_reuseport: bool | str = False,  # noqa: FBT001, FBT002
        blocking: bool | str = True,  # noqa: FBT001, FBT002
        *,
        owner: int | str | None = None,
        group: int | str | None = None,
        mode: int | str | None = None,
    ) -> None:
        given = {
            "host": host,
            "port": port,
            "family": family if isinstance(family, str) else socket.AddressFamily(family).name,
            "type": type if isinstance(type, str) else socket.SocketKind(type).name,
            "proto": proto,
            "backlog": backlog,
            "path": None if path is None else os.fspath(path),
            "umask": umask,
            "replace": replace,
            "interface": interface,
            "so_reuseport": so_reuseport,
            "blocking": blocking,
            "owner": owner,
            "group": group,
            "mode": mode,
        }
        self._open(socket_from_mapping(name, given))

    @classmethod
    def from_config(cls, config: SocketConfig) -> Self:
        """The same from options that were read."""
        sock = cls.__new__(cls)
        sock._open(config)
        return sock

    @classmethod
    def inherited(cls, config: SocketConfig, fd: int) -> Self:
        """One that listens already; `fd` stays the caller's. Raises OSError."""
        sock = cls.__new__(cls)
        sock._file = None
        sock._access = Access()
        sock._take(config)
        socket.socket.__init__(sock, fileno=os.dup(fd))
        sock.setblocking(config.blocking)
        sock._found(sock.getsockname())
        return sock

    @classmethod
    def load_from_config(cls, config: Mapping[str, object]) -> Self:
        """The same from a mapping that has the name in it."""
        given = {key: value for key, value in config.items() if key not in ("name", "__name__")}
        return cls.from_config(socket_from_mapping(str(config["name"]), given))

    def _open(self, config: SocketConfig) -> None:
        if config.activated:
            raise CircusError(f"socket {config.name!r}: activated = True is for circusd alone")
        family = socket.AddressFamily["AF_UNIX" if config.path else config.family]
        self._file: SocketFile | None = None
        self._address: tuple[Any, ...] = ()
        self._take(config)
        self._access = _access(config)
        try:
            proto = config.proto
            number = proto if isinstance(proto, int) else socket.getprotobyname(proto)
            super().__init__(family, socket.SocketKind[config.type], number)
            try:
                _set_options(self, config)
            except OSError:
                self.close()
                raise
        except OSError as error:
            reason = error.strerror or error
            raise CircusError(f"cannot make socket {self.name!r}: {reason}") from error

    def _take(self, config: SocketConfig) -> None:
        self.config = config
        self.name = config.name
        self.host = config.host
        self.port = config.port
        self.backlog = config.backlog
        self.path = config.path
        self.umask = config.umask
        self.replace = config.replace
        self.interface = config.interface
        self.so_reuseport = config.so_reuseport
        self.blocking = config.blocking

    def __str__(self) -> str:
        return f"socket {self.name!r} at {self.location}"

    # -- what others ask ------------------------------------------------

    @property
    def fd(self) -> int:
        """Its number in the daemon."""
        return self.fileno()

    @property
    def is_bound(self) -> bool:
        """Whether it has its address, or has found it out for each worker's own."""
        return self._file is not None or bool(self._address)

    @property
    def is_unix(self) -> bool:
        """Whether it has a path."""
        return self.path is not None

    @property
    def socktype(self) -> socket.SocketKind:
        """How it carries data."""
        return socket.SocketKind(self.type)

    @property
    def location(self) -> str:
        """`host:port` or the path."""
        return self.path or f"{self.host}:{self.port}"

    @property
    def file(self) -> SocketFile | None:
        """What it was bound to, if that has a path."""
        return self._file

    def queue(self) -> int | None:
        """Connections that wait to be accepted; None when it takes none. Does not block."""
        listens = self.socktype in LISTENING and not self.so_reuseport
        return queue.waiting(self) if listens else None

    # -- what it does ------------------------------------------------

    def bind_and_listen(self, *, aside: bool = False) -> None:
        """Raises CircusError with the address and the reason. May resolve a host name.

        `aside`: under another name beside its path, for as long as another socket is there.
        """
        try:
            self._bind(aside=aside)
            if self.socktype in LISTENING:
                self.listen(self.backlog)
        except (OSError, CircusError) as error:
            self.close()
            raise self._cannot_bind(error) from error

    def reserve(self) -> None:
        """Of a socket that each worker gets anew: find out the address, and that it can be bound.

        A port is held from now on; no connection goes to who does not listen. Datagrams would, so
        for these nothing is kept. Raises CircusError. May resolve a host name.
        """
        try:
            if self.socktype in LISTENING:
                self._bind(aside=False)
            else:
                self._address = self._resolved()
                self.another().close()
        except OSError as error:
            self.close()
            raise self._cannot_bind(error) from error
        except CircusError:
            self.close()
            raise

    def another(self) -> socket.socket:
        """One more on the same address, bound and listening; the caller's. Raises CircusError."""
        sock = socket.socket(self.family, self.type, self.proto)
        try:
            _set_options(sock, self.config)
            sock.bind(self._address)
            if self.socktype in LISTENING:
                sock.listen(self.backlog)
        except OSError as error:
            sock.close()
            raise self._cannot_bind(error) from error
        return sock

    def adjust(self, config: SocketConfig, access: Access | None) -> None:
        """Take options that need no other socket; who waits and who accepts notice nothing.

        `access` is what the file gets. Raises OSError.
        """
        host, port, path = self.host, self.port, self.path
        self._take(config)
        self.host, self.port, self.path = host, port, path
        if config.activated:
            self.setblocking(config.blocking)
            return
        _set_options(self, config)
        if self.socktype in LISTENING and not self.so_reuseport:
            self.listen(self.backlog)
        if access is not None and self._file is not None and self._file.access() != access:
            access.give(self._file.path)

    def dup(self) -> socket.socket:  # type: ignore[override]  # a plain one: the path stays ours
        """One more descriptor for the same open socket; the caller's."""
        return socket.socket(fileno=os.dup(self.fileno()))

    def close(self) -> None:
        """Give the descriptor back, and remove the path if it is still the one we made."""
        super().close()
        if self._file is not None:
            self._file.remove()

    # -- how ------------------------------------------------

    def _bind(self, *, aside: bool) -> None:
        if self.path:
            path = beside(self.path) if aside else self.path
            self._file = SocketFile(self, path, self._access)
            return
        self.bind(self._resolved())
        self._found(self.getsockname())

    def _found(self, address: tuple[Any, ...] | str | bytes) -> None:
        if isinstance(address, tuple):
            self._address = address
            self.host, self.port = address[:2]
        else:
            self._address = (address,)
            self.path = os.fsdecode(address)

    def _resolved(self) -> tuple[Any, ...]:
        flags = socket.AI_PASSIVE
        found = socket.getaddrinfo(
            self.host or None, self.port, self.family, socket.SOCK_STREAM, flags=flags
        )
        return found[0][4]

    def _cannot_bind(self, error: Exception) -> CircusError:
        if isinstance(error, OSError):
            return CircusError(
                f"cannot bind socket {self.name!r} to {self.location}: {error.strerror or error}"
            )
        return CircusError(f"socket {self.name!r}: {error}")


def _set_options(sock: socket.socket, config: SocketConfig) -> None:
    sock.setblocking(config.blocking)
    if sock.family != socket.AF_UNIX:
        device = (config.interface or "").encode()
        if device or sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).strip(b"\0"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
    if sock.type in LISTENING:
        # of datagram sockets it would let two programs have one port, and the last gets all
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if config.so_reuseport:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def _access(config: SocketConfig) -> Access:
    """Who may connect to the path. Raises CircusError."""
    mode = config.mode
    if mode is None and config.umask is not None:
        mode = 0o777 & ~config.umask
    try:
        uid = None if config.owner is None else identity.uid_of(config.owner)
    except SpawnError:
        raise CircusError(f"socket {config.name!r}: there is no user {config.owner!r}") from None
    try:
        gid = None if config.group is None else identity.gid_of(config.group)
    except SpawnError:
        raise CircusError(f"socket {config.name!r}: there is no group {config.group!r}") from None
    return Access(uid, gid, mode)
