"""Starts watchers in the order that their dependencies and priorities ask for."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from circus.core import graph
from circus.exc import NotYet

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from circus.config.model import WatcherConfig
    from circus.threads import Outcome
    from circus.watcher import Watcher

logger = logging.getLogger(__name__)


def needs(config: WatcherConfig) -> set[str]:
    """The watchers that one starts after, in lower case."""
    return {name.lower() for name in (*config.after, *config.requires)}


def stop_layers(watchers: Iterable[Watcher]) -> list[list[Watcher]]:
    """Who may stop together; those that others need come last."""
    edges: dict[str, set[str]] = {}
    by_name: dict[str, list[Watcher]] = {}
    for watcher in watchers:
        # two have one name while the older one, removed, is not gone yet
        by_name.setdefault(watcher.name.lower(), []).append(watcher)
        edges.setdefault(watcher.name.lower(), set()).update(needs(watcher.config))
    return [
        sorted(
            (one for name in layer for one in by_name[name]), key=lambda one: one.config.priority
        )
        for layer in reversed(graph.layers(edges))
    ]


@dataclass
class Waiting:
    """A watcher that is to be started. `answer` resolves with what the start came to."""

    watcher: Watcher
    answer: asyncio.Future[dict[str, Any]]
    blocker: str = ""
    """In lower case; nothing for one that only waits for its turn."""


class Startup:
    """Bigger priority first; each waits only for what it names in `after` and `requires`.

    `find` knows the watchers by their lower-case names, `find_leaving` those that were removed and
    still run: a new one of the same name waits for its old one.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        find: Callable[[str], Watcher | None],
        find_leaving: Callable[[str], Watcher | None],
    ) -> None:
        self._loop = loop
        self._find = find
        self._find_leaving = find_leaving
        self._waiting: dict[str, Waiting] = {}
        self._behind: dict[str, dict[str, None]] = {}
        """Who waits for a watcher: only they are looked at when it changes."""
        self._turns: deque[Waiting] = deque()
        self._handle: asyncio.Handle | None = None
        self.warmup_delay = 0.0
        """Seconds between the starts of two watchers."""

    def add(self, watchers: Iterable[Watcher]) -> list[asyncio.Future[dict[str, Any]]]:
        """Start these, each as soon as it may; for each a future of what its start comes to.

        A future fails when nothing under way will let its watcher start; the watcher waits on.
        """
        added = [self._entry(watcher) for watcher in watchers]
        answers = [entry.answer for entry in added]
        for entry in sorted(
            added, key=lambda one: (-one.watcher.config.priority, one.watcher.name)
        ):
            self._advance(entry)
        for entry in added:
            self._tell_if_stuck(entry)
        return answers

    def holds(self, watcher: Watcher) -> bool:
        """Whether it is to be started and waits for that."""
        entry = self._waiting.get(watcher.name.lower())
        return entry is not None and entry.watcher is watcher

    def remove(self, watcher: Watcher) -> None:
        """It is not to be started any more."""
        entry = self._waiting.get(watcher.name.lower())
        if entry is None or entry.watcher is not watcher:
            return
        self._forget(entry)
        _fail(entry.answer, f"{watcher.name} was stopped before it could start")
        self._see_to(watcher.name.lower())

    def changed(self, watcher: Watcher) -> None:
        """A watcher's state changed, or it is gone: others may have waited for that."""
        name = watcher.name.lower()
        if name not in self._behind:
            return
        self._see_to(name)
        if watcher.pool.settled and watcher.status() != "active":
            self._tell_stuck(name, f"{watcher.name}, which is {watcher.status()}")

    def blocker(self, watcher: Watcher) -> str:
        """The name of what it waits for before it starts, or nothing."""
        entry = self._waiting.get(watcher.name.lower())
        if entry is None or entry.watcher is not watcher or not entry.blocker:
            return ""
        if entry.blocker == watcher.name.lower():
            return f"the old {watcher.name}"
        other = self._find(entry.blocker)
        return entry.blocker if other is None else other.name

    def close(self) -> None:
        """Start nothing more."""
        for entry in self._waiting.values():
            entry.answer.cancel()
        self._waiting.clear()
        self._behind.clear()
        self._turns.clear()
        if self._handle is not None:
            self._handle.cancel()

    # -- how ------------------------------------------------

    def _entry(self, watcher: Watcher) -> Waiting:
        entry = self._waiting.get(watcher.name.lower())
        if entry is None:
            entry = Waiting(watcher, self._loop.create_future())
            self._waiting[watcher.name.lower()] = entry
        elif entry.answer.done():  # it was told that it is stuck, and is asked for once more
            entry.answer = self._loop.create_future()
        return entry

    def _forget(self, entry: Waiting) -> None:
        name = entry.watcher.name.lower()
        del self._waiting[name]
        self._behind.get(entry.blocker, {}).pop(name, None)
        if entry in self._turns:
            self._turns.remove(entry)

    def _see_to(self, name: str) -> None:
        """Look at those who wait for `name` again."""
        for follower in list(self._behind.pop(name, ())):
            if follower in self._waiting:
                self._advance(self._waiting[follower])

    def _advance(self, entry: Waiting) -> None:
        if entry in self._turns:
            return
        entry.blocker = self._blocker(entry.watcher)
        if entry.blocker:
            self._behind.setdefault(entry.blocker, {})[entry.watcher.name.lower()] = None
        elif self.warmup_delay > 0:
            self._turns.append(entry)
            if self._handle is None:
                self._next_turn()
        else:
            self._start(entry)

    def _next_turn(self) -> None:
        self._handle = None
        if self._turns:
            self._handle = self._loop.call_later(self.warmup_delay, self._next_turn)
            self._start(self._turns.popleft())

    def _start(self, entry: Waiting) -> None:
        self._forget(entry)
        _pass_on(entry.watcher.start(), entry.answer)
        # not every start changes a state: with no workers to run there is nothing to see
        self._see_to(entry.watcher.name.lower())

    def _blocker(self, watcher: Watcher) -> str:
        """In lower case, the watcher that this one waits for, or nothing."""
        if watcher.pool.up:
            return ""
        if self._find_leaving(watcher.name.lower()) is not None:
            return watcher.name.lower()
        required = {name.lower() for name in watcher.config.requires}
        for name in needs(watcher.config):
            other = self._find(name)
            if other is None:
                continue
            if name in self._waiting or not other.pool.settled:
                return name
            if name in required and other.status() != "active":
                return name
        return ""

    def _tell_if_stuck(self, entry: Waiting) -> None:
        """Say so when what it waits for, itself or through others, is not under way."""
        last = entry
        while last.blocker in self._waiting and self._waiting[last.blocker] is not last:
            last = self._waiting[last.blocker]
        other = self._find(last.blocker) if last.blocker not in self._waiting else None
        if other is not None and other.pool.settled and other.status() != "active":
            what = f"{other.name}, which is {other.status()}"
            _fail(entry.answer, f"{entry.watcher.name} waits for {what}")

    def _tell_stuck(self, name: str, what: str) -> None:
        """Whoever waits for `name`, itself or through others, is not going to start soon."""
        for follower in self._behind.get(name, ()):
            entry = self._waiting[follower]
            if not entry.answer.done():
                _fail(entry.answer, f"{entry.watcher.name} waits for {what}")
                self._tell_stuck(follower, what)


def _fail(answer: asyncio.Future[dict[str, Any]], text: str) -> None:
    if not answer.done():
        answer.set_exception(NotYet(text))
        answer.exception()  # asked for here, so that nobody has to


def _pass_on(result: Outcome[dict[str, Any]], answer: asyncio.Future[dict[str, Any]]) -> None:
    """Resolve `answer` as `result` will be."""

    def done(future: Future[dict[str, Any]]) -> None:
        if answer.done():
            return
        if future.cancelled():
            answer.cancel()
        elif (error := future.exception()) is not None:
            answer.set_exception(error)
            answer.exception()
        else:
            answer.set_result(future.result())

    result.add_done_callback(done)
