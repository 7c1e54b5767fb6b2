"""Sockets take the places of others: all of them or none, and back again if need be."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circus.host.socketfile import Takeover

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from circus.config.model import SocketConfig
    from circus.host.socketfile import Access
    from circus.listener import CircusSocket

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What a socket that stays open is like: now, or once the swap is made."""

    sock: CircusSocket
    config: SocketConfig
    access: Access | None

    def make(self) -> None:
        """A failure is told and changes nothing else: it was tried before (`prepare`)."""
        try:
            self.sock.adjust(self.config, self.access)
        except OSError as error:
            reason = error.strerror or error
            logger.warning("Cannot change socket %s as asked: %s", self.config.name, reason)


class Swap:
    """Made by `CircusSockets.prepare`: everything new is bound, and nothing in use was touched.

    `commit`, and perhaps `undo`, then `finish`; or `finish` at once. All but the making of it
    belongs to the loop's thread; none of it blocks or fails.
    """

    def __init__(
        self, sockets: dict[str, CircusSocket], leaving: Mapping[str, CircusSocket]
    ) -> None:
        self._sockets = sockets
        self._leaving = leaving
        """Closed at the end; `prepare` takes out what turns out to be of use."""
        self._new: list[CircusSocket] = []
        self._after: dict[str, CircusSocket | None] = dict.fromkeys(leaving)
        self._before: dict[str, CircusSocket | None] = dict(leaving)
        self._takeovers: list[Takeover] = []
        self._was: list[Adjustment] = []
        self._becomes: list[Adjustment] = []

    @property
    def replaced(self) -> frozenset[str]:
        """The names behind which there is another socket, or none: their workers have to move."""
        return frozenset(
            name for name, sock in self._after.items() if self._before[name] is not sock
        )

    # -- for prepare ------------------------------------------------

    def bind(self, name: str, sock: CircusSocket, place: CircusSocket | None) -> None:
        """`sock` is bound: beside `place` when it is to have the path of that one."""
        self._new.append(sock)
        self._put(name, sock)
        if place is not None and place.file is not None and sock.file is not None:
            self._takeovers.append(Takeover(place.file, sock.file))

    def adjust(
        self, name: str, sock: CircusSocket, config: SocketConfig, access: Access | None
    ) -> None:
        """`sock` stays open, with other options or another name."""
        self._put(name, sock)
        was = None if sock.file is None else sock.file.access()
        self._was.append(Adjustment(sock, sock.config, was))
        self._becomes.append(Adjustment(sock, config, access))

    def _put(self, name: str, sock: CircusSocket) -> None:
        self._after[name] = sock
        self._before.setdefault(name, self._sockets.get(name))

    # -- for who asked ------------------------------------------------

    def commit(self) -> None:
        """Workers that are started from now on get the new ones; the old ones stay open."""
        self._apply(self._after, self._becomes)
        for takeover in self._takeovers:
            takeover.forth()

    def undo(self) -> None:
        """Everything as before `commit`."""
        for takeover in reversed(self._takeovers):
            takeover.back()
        self._apply(self._before, self._was)

    def finish(self) -> None:
        """Close what nobody gets any more: the old ones after `commit`, otherwise the new ones."""
        for takeover in self._takeovers:
            takeover.forget()
        for sock in {*self._leaving.values(), *self._new} - {*self._sockets.values()}:
            sock.close()

    def _apply(
        self, places: Mapping[str, CircusSocket | None], adjustments: Iterable[Adjustment]
    ) -> None:
        for name, sock in places.items():
            if sock is None:
                self._sockets.pop(name, None)
            else:
                self._sockets[name] = sock
        for adjustment in adjustments:
            adjustment.make()
