"""The listening sockets that the daemon holds for its workers, and how one set becomes another."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

from circus.config.schema import OnChange, cost_between
from circus.exc import CircusError
from circus.listener import CircusSocket
from circus.swap import Swap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.config.model import SocketConfig
    from circus.host.socketfile import Access

__all__ = ["CircusSocket", "CircusSockets"]


class CircusSockets(dict[str, CircusSocket]):
    """The managed sockets, by their names in lower case."""

    def __init__(
        self, sockets: Mapping[str, CircusSocket] | None = None, backlog: int = 2048
    ) -> None:
        super().__init__({name.lower(): sock for name, sock in (sockets or {}).items()})
        self.backlog = backlog
        self.handed: Mapping[str, int] = {}
        """What systemd opened, by lower-case name; these descriptors are not ours to close."""

    def add(
        self,
        name: str,
        host: str = "localhost",
        port: int | str = 8080,
        family: int | str = socket.AF_INET,
        type: int | str = socket.SOCK_STREAM,
        proto: int | str = 0,
        backlog: int | str | None = None,
        path: str | None = None,
        umask: int | str | None = None,
        interface: str | None = None,
        **options: int | str | None,
    ) -> CircusSocket:
        """Make one; it is not bound yet. Raises ValueError when the name is taken."""
        if name.lower() in self:
            raise ValueError(f"A socket with the name {name!r} already exists")
        queue = self.backlog if backlog is None else backlog
        sock = CircusSocket(
            name, host, port, family, type, proto, queue, path, umask, interface=interface,
            **options,  # type: ignore[arg-type]  # what is none of its options is refused there
        )  # fmt: skip
        self[name.lower()] = sock
        return sock

    def bind_and_listen_all(self) -> None:
        """Bind every one; those that each worker gets anew are only looked at.

        Raises CircusError at the first that cannot be; the others stay as they are.
        """
        for sock in self.values():
            _bind(sock)

    def close_all(self) -> None:
        """Give up all of them."""
        for sock in self.values():
            sock.close()
        self.clear()

    def prepare(self, wanted: Mapping[str, SocketConfig | None]) -> Swap:
        """Bind whatever has to be bound for these to take the places they name; None removes.

        Nothing that is in use is touched. Raises CircusError, naming the socket, when one cannot
        be had; nothing is left bound then. May block on name services: call it aside.
        """
        asked = {name.lower(): config for name, config in wanted.items()}
        leaving = {
            name: self[name]
            for name in asked
            if name in self and not _suits(self[name], asked[name])
        }
        swap = Swap(self, leaving)
        staying = {name: self[name] for name in asked if name in self and name not in leaving}
        try:
            for name, config in asked.items():
                if config is not None:
                    self._prepare(swap, config, leaving, staying.get(name))
        except OSError as error:
            swap.finish()
            raise CircusError(f"cannot change the sockets: {error}") from error
        except BaseException:
            swap.finish()
            raise
        return swap

    def _prepare(
        self,
        swap: Swap,
        config: SocketConfig,
        leaving: dict[str, CircusSocket],
        kept: CircusSocket | None,
    ) -> None:
        name = config.name.lower()
        # one that has another name from now on
        kept = kept or next((sock for sock in leaving.values() if _suits(sock, config)), None)
        if kept is not None:
            leaving.pop(kept.name.lower(), None)
            if kept.config != config:
                swap.adjust(name, kept, config, _trial(kept, config))
            return
        place = next(
            (sock for sock in leaving.values() if sock.file and sock.path == config.path), None
        )
        swap.bind(name, self._bound(config, aside=place is not None), place)

    def _bound(self, config: SocketConfig, *, aside: bool) -> CircusSocket:
        if config.activated:
            return self._activated(config)
        sock = CircusSocket.from_config(config)
        try:
            _bind(sock, aside=aside)
        except CircusError as error:
            here = [one for one in self.values() if not one.path and one.port == config.port]
            if config.path or not config.port or not here:
                raise
            raise CircusError(
                f"{error}; {here[0]} is open until circusd is started again"
            ) from error
        return sock

    def _activated(self, config: SocketConfig) -> CircusSocket:
        fd = self.handed.get(config.name.lower())
        if fd is None:
            raise CircusError(
                f"socket {config.name!r} has activated = True, but systemd did not hand it over: "
                f"a socket unit needs FileDescriptorName={config.name} and Service= this service, "
                "and both have to be started anew"
            )
        return CircusSocket.inherited(config, fd)


def _bind(sock: CircusSocket, *, aside: bool = False) -> None:
    if sock.so_reuseport:
        sock.reserve()
    else:
        sock.bind_and_listen(aside=aside)


def _suits(sock: CircusSocket, config: SocketConfig | None) -> bool:
    """Whether the same open socket can do what is asked."""
    if config is None or (config.activated and config.name.lower() != sock.name.lower()):
        return False
    return cost_between(sock.config, config) < OnChange.REPLACE


def _trial(sock: CircusSocket, config: SocketConfig) -> Access | None:
    """Try with one of no use that what is asked can be had; what its file would be like."""
    if config.activated:
        return None
    with contextlib.closing(CircusSocket.from_config(config)) as trial:
        if sock.file is None:
            return None
        trial.bind_and_listen(aside=True)
        return trial.file.access() if trial.file is not None else None
