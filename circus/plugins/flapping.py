"""Gives a watcher a rest whose workers die as soon as they are started."""

from __future__ import annotations

import json
import logging
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from circus.config.plugins import PREFIX
from circus.plugins.base import CircusPlugin, is_on

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from circus.plugins.base import Event

logger = logging.getLogger(__name__)

REMEMBERED = 1000
"""So many pids are; whether their ends are told depends on why they were told to end."""
OF_WATCHER = "flapping."
"""What keys of a watcher begin with that count for it instead of ours."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`attempts` deaths within `window` seconds are too many: rest for `retry_in` seconds.

    After `max_retry` rests in a row it stays stopped; -1 means never.
    """

    attempts: int = 2
    window: float = 1.0
    retry_in: float = 7.0
    max_retry: int = 5
    active: bool = True

    def with_options(self, given: Mapping[str, Any]) -> Limits:
        """The same with what is given. Raises ValueError."""
        return Limits(
            attempts=int(given.get("attempts", self.attempts)),
            window=float(given.get("window", self.window)),
            retry_in=float(given.get("retry_in", self.retry_in)),
            max_retry=int(given.get("max_retry", self.max_retry)),
            active=is_on(given.get("active", self.active)),
        )


class Flapping(CircusPlugin):
    """Counts the deaths of each slot by itself.

    A watcher is stopped only when none of its workers is well: those that are have done nothing.
    The slot that flaps beside them is paced by circusd itself (`backoff_delay`, `max_retry`).
    """

    name = "flapping"

    def __init__(self, *args: Any, **config: Any) -> None:
        super().__init__(*args, **config)
        self.limits = Limits().with_options(config)
        self.configs: dict[str, Limits] = {}
        """By watcher, as topics have its name."""
        self.timelines: dict[str, dict[Any, deque[float]]] = defaultdict(dict)
        """Moments of deaths by watcher and wid, in monotonic seconds."""
        self.tries: dict[str, int] = defaultdict(int)
        """Rests in a row."""
        self._rests: dict[str, asyncio.TimerHandle] = {}
        self._asked: deque[int | None] = deque(maxlen=REMEMBERED)
        """Pids of those who were told to end: that is no flapping."""

    def handle_recv(self, data: Event) -> None:
        """Deaths are counted; options may have changed; who is stopped by hand stays so."""
        name, action, message = self.split_data(data)
        if name.startswith(PREFIX):
            return
        told = json.loads(message) if message else {}
        if action == "kill":
            self._asked.append(told.get("process_pid"))
        elif action == "reap" and told.get("process_pid", 0) not in self._asked:
            self._died(name, told.get("wid"))
        elif action == "updated":
            self.configs.pop(name, None)
        elif action in ("start", "remove") or (action == "stop" and name not in self._rests):
            self._forget(name)

    def handle_stop(self) -> None:
        """Start those at once that rest: nobody else would."""
        for name in list(self._rests):
            self._rests.pop(name).cancel()
            self.call("start", name=self.watcher_of(name))  # a cast might not get out any more

    def _died(self, name: str, wid: int | None) -> None:
        limits = self._limits_of(name)
        if not limits.active:
            return
        line = self.timelines[name].setdefault(wid, deque(maxlen=limits.attempts))
        line.append(time.monotonic())
        if len(line) >= limits.attempts:
            self.check(name, wid)

    def check(self, name: str, wid: int | None = None) -> None:
        """Whether a slot has died too often, and what to do about it."""
        limits, line = self._limits_of(name), self.timelines[name].get(wid)
        if not line or line[-1] - line[0] > limits.window:
            self.tries.pop(name, None)
            return
        watcher = self.watcher_of(name)
        if self._any_is_well(name, watcher, limits):
            logger.warning("%s.%s flaps; others of %s are well and run on", watcher, wid, watcher)
            line.clear()
            return
        self.timelines.pop(name, None)
        self._rest(name, watcher, limits)

    def _any_is_well(self, name: str, watcher: str, limits: Limits) -> bool:
        """Whether a slot runs in which nobody has died lately."""
        lately = time.monotonic() - limits.window
        lines = self.timelines[name]
        dying = {wid for wid, line in lines.items() if line and line[-1] >= lately}
        told = self.call("why", name=watcher).get("watchers", [])
        slots = [slot for one in told for slot in one["slots"]]
        return any(slot["state"] == "ready" and slot["wid"] not in dying for slot in slots)

    def _rest(self, name: str, watcher: str, limits: Limits) -> None:
        if 0 <= limits.max_retry <= self.tries[name]:
            logger.warning(
                "%s flaps, and has had %d rest(s): it stays stopped", watcher, self.tries[name]
            )
            self.tries.pop(name, None)
            self.cast("stop", name=watcher)
            return
        self.tries[name] += 1
        logger.warning("%s flaps: it is stopped for %g s", watcher, limits.retry_in)
        self.cast("stop", name=watcher)
        if name in self._rests:
            self._rests.pop(name).cancel()
        self._rests[name] = self.loop.call_later(limits.retry_in, self._wake, name)

    def _wake(self, name: str) -> None:
        self._rests.pop(name).cancel()
        self.cast("start", name=self.watcher_of(name))

    def _forget(self, name: str) -> None:
        """Somebody else decides on it now."""
        if name in self._rests:
            self._rests.pop(name).cancel()
        self.timelines.pop(name, None)

    def _limits_of(self, name: str) -> Limits:
        found = self.configs.get(name)
        if found is None:
            options = self.call("options", name=self.watcher_of(name)).get("options", {})
            given = {
                key.removeprefix(OF_WATCHER): value
                for key, value in options.items()
                if key.startswith(OF_WATCHER)
            }
            self.configs[name] = found = self._read(name, given)
        return found

    def _read(self, name: str, given: Mapping[str, Any]) -> Limits:
        try:
            return self.limits.with_options(given)
        except ValueError as error:
            logger.warning(
                "%s: its options that begin with flapping. do not count: %s", name, error
            )
            return self.limits
