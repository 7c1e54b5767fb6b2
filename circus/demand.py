"""Starts on_demand watchers at the first connection to one of their sockets."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from circus.recipe import sockets_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from circus.sockets import CircusSocket
    from circus.watcher import Watcher

logger = logging.getLogger(__name__)


class Demand:
    """Watches the sockets of those on_demand watchers that do not run."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sockets: Mapping[str, CircusSocket]
    ) -> None:
        self._loop = loop
        self._sockets = sockets
        self._idle: dict[str, Watcher] = {}
        self._watched: dict[str, int] = {}

    def add(self, watcher: Watcher) -> None:
        """It does not run: start it when somebody connects."""
        self._idle[watcher.name.lower()] = watcher
        self._watch()

    def remove(self, watcher: Watcher) -> None:
        """It runs, or is not wanted."""
        if self._idle.pop(watcher.name.lower(), None) is not None:
            self._watch()

    def close(self) -> None:
        """Watch nothing more."""
        self._idle.clear()
        self._watch()

    def _watch(self) -> None:
        wanted = {name for one in self._idle.values() for name in self._names(one)}
        for name in set(self._watched) - wanted:
            self._loop.remove_reader(self._watched.pop(name))
        for name in wanted - set(self._watched):
            self._watched[name] = self._sockets[name].fd
            self._loop.add_reader(self._sockets[name].fd, self._on_connection, name)

    def _names(self, watcher: Watcher) -> set[str]:
        return sockets_of(watcher.config, self._sockets)

    def _on_connection(self, name: str) -> None:
        concerned = [one for one in self._idle.values() if name in self._names(one)]
        for watcher in concerned:
            logger.info("Starting %s: somebody connects to socket %s", watcher.name, name)
            self.remove(watcher)
            watcher.start()
