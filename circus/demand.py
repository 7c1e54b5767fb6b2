"""Starts on_demand watchers at the first connection to one of their sockets."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from circus.config.asked import waited_for
from circus.core.slot import State

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

    from circus.listener import CircusSocket
    from circus.watcher import Watcher

logger = logging.getLogger(__name__)


class Demand:
    """Watches the sockets of those on_demand watchers that do not run.

    `start` is called with a watcher that somebody wants. One that ends without having taken the
    connection is wanted again at once, so `backoff_delay` lies between two of its starts, and
    `backoff_max` when it was given up.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sockets: Mapping[str, CircusSocket],
        start: Callable[[Watcher], object],
    ) -> None:
        self._loop = loop
        self._sockets = sockets
        self._start = start
        self._idle: dict[str, Watcher] = {}
        self._pauses: dict[str, asyncio.TimerHandle] = {}
        self._started: WeakKeyDictionary[Watcher, float] = WeakKeyDictionary()
        """When each was started here last, in the loop's seconds."""
        self._watched: dict[str, int] = {}
        """Descriptors by name of socket."""

    def add(self, watcher: Watcher) -> None:
        """It does not run: start it when somebody connects."""
        name, config = watcher.name.lower(), watcher.config
        if name in self._idle or name in self._pauses:
            return
        given_up = watcher.pool.count_in(State.FAILED)
        pause = config.backoff_max if given_up else config.backoff_delay
        began = self._started.get(watcher)
        if began is None or began + pause <= self._loop.time():
            self._add(watcher)
        else:
            self._pauses[name] = self._loop.call_at(began + pause, self._add, watcher)

    def holds(self, watcher: Watcher) -> bool:
        """Whether somebody who connects would start it."""
        name = watcher.name.lower()
        return name in self._pauses or self._idle.get(name) is watcher

    def names(self, watcher: Watcher) -> list[str]:
        """The sockets that somebody has to connect to, sorted."""
        config = watcher.config
        return sorted(waited_for(config, self._sockets)) if config.on_demand else []

    def remove(self, watcher: Watcher) -> None:
        """It runs, or is not wanted."""
        name = watcher.name.lower()
        if (pause := self._pauses.pop(name, None)) is not None:
            pause.cancel()
        if self._idle.pop(name, None) is not None:
            self.look_again()

    def look_again(self) -> None:
        """Behind the names of sockets, or of watchers' options, there may be other ones now."""
        wanted = {
            name: self._sockets[name].fd
            for watcher in self._idle.values()
            for name in self.names(watcher)
        }
        for name, fd in self._watched.items() - wanted.items():
            self._loop.remove_reader(fd)
            del self._watched[name]
        for name, fd in wanted.items() - self._watched.items():
            self._watched[name] = fd
            self._loop.add_reader(fd, self._on_connection, name)

    def close(self) -> None:
        """Watch nothing more."""
        for pause in self._pauses.values():
            pause.cancel()
        self._pauses.clear()
        self._idle.clear()
        self.look_again()

    def _add(self, watcher: Watcher) -> None:
        self._pauses.pop(watcher.name.lower(), None)
        self._idle[watcher.name.lower()] = watcher
        self.look_again()

    def _on_connection(self, name: str) -> None:
        concerned = [one for one in self._idle.values() if name in self.names(one)]
        for watcher in concerned:
            logger.info("Starting %s: somebody connects to socket %s", watcher.name, name)
            self._started[watcher] = self._loop.time()
            self.remove(watcher)
            self._start(watcher)
