"""Starts watchers in the order that their dependencies and priorities ask for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from circus.core import graph

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

    from circus.watcher import Watcher

logger = logging.getLogger(__name__)


def needs(watcher: Watcher) -> set[str]:
    """The watchers that it starts after, in lower case."""
    return {name.lower() for name in (*watcher.config.after, *watcher.config.requires)}


def stop_layers(watchers: Iterable[Watcher]) -> list[list[Watcher]]:
    """Who may stop together; those that others need come last."""
    by_name = {watcher.name.lower(): watcher for watcher in watchers}
    found = graph.layers({name: needs(watcher) for name, watcher in by_name.items()})
    return [
        sorted((by_name[name] for name in layer), key=lambda one: one.config.priority)
        for layer in reversed(found)
    ]


class Startup:
    """Bigger priority first; each waits only for what it names in `after` and `requires`."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, find: Callable[[str], Watcher | None]
    ) -> None:
        self._loop = loop
        self._find = find
        self._waiting: dict[str, Watcher] = {}
        self._paced: list[Watcher] = []
        self._handle: asyncio.Handle | None = None
        self.warmup_delay = 0.0
        """Seconds between the starts of two watchers."""

    def add(self, watchers: Iterable[Watcher]) -> None:
        """Start these, each as soon as it may."""
        ordered = sorted(watchers, key=lambda one: (-one.config.priority, one.name))
        for watcher in ordered:
            self._waiting[watcher.name.lower()] = watcher
        self._advance()

    def remove(self, watcher: Watcher) -> None:
        """It is not to be started any more."""
        watcher.blocked_by = ""
        self._waiting.pop(watcher.name.lower(), None)
        if watcher in self._paced:
            self._paced.remove(watcher)

    def changed(self, watcher: Watcher) -> None:
        """A watcher's state changed: others may have waited for it."""
        if self._waiting and watcher.name.lower() not in self._waiting:
            self._advance()

    def is_waiting(self, watcher: Watcher) -> bool:
        """Whether it is to be started but may not yet."""
        return watcher.name.lower() in self._waiting or watcher in self._paced

    def _advance(self) -> None:
        ready = []
        for name, watcher in list(self._waiting.items()):
            watcher.blocked_by = self._blocker(watcher)
            if not watcher.blocked_by:
                del self._waiting[name]
                ready.append(watcher)
        if self.warmup_delay > 0:
            self._paced += ready
            if self._handle is None:
                self._next()
            return
        for watcher in ready:
            watcher.start()

    def _next(self) -> None:
        self._handle = None
        if self._paced:
            self._paced.pop(0).start()
            self._handle = self._loop.call_later(self.warmup_delay, self._next)

    def _blocker(self, watcher: Watcher) -> str:
        """The name of what it waits for, or nothing."""
        required = {name.lower() for name in watcher.config.requires}
        for name in needs(watcher):
            other = self._find(name)
            if other is None:
                continue
            if name in required and other.status() != "active":
                return other.name
            if name in self._waiting or not other.pool.settled:
                return other.name
        return ""

    def close(self) -> None:
        """Start nothing more."""
        self._waiting.clear()
        self._paced.clear()
        if self._handle is not None:
            self._handle.cancel()
