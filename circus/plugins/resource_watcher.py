"""Restarts a watcher that uses too much, or too little, for too long."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from circus.exc import ArgumentError
from circus.plugins.base import is_on
from circus.plugins.figures import Usage, parse_bytes, usage_of, workers_of
from circus.plugins.statsd import BaseObserver

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

logger = logging.getLogger(__name__)

NOTHING = Usage(0.0, 0.0, 0, 0.0)


class Amount(NamedTuple):
    """Of memory: so many percent, or bytes."""

    number: float
    in_bytes: bool

    @classmethod
    def parse(cls, text: object) -> Amount:
        """`90` is a share, `200M` a size. Raises ValueError."""
        try:
            return cls(float(str(text)), in_bytes=False)
        except ValueError:
            return cls(parse_bytes(str(text)), in_bytes=True)

    def of(self, used: Usage) -> float:
        """How much is used, counted as this is."""
        return used.memory_bytes if self.in_bytes else used.memory


class ResourceWatcher(BaseObserver):
    """Counts by limit how many looks in a row it was exceeded; more than `max_count` are too many.

    Then the watcher is restarted; with `process_children`, a child of a worker that exceeds a limit
    by itself gets `child_signal`. Of a worker that has a control group, all that it started counts.
    """

    name = "resource_watcher"
    default_app_name = "resource_watcher"

    def __init__(self, *args: Any, **config: Any) -> None:
        super().__init__(*args, **config)
        self.watcher = config.get("watcher")
        if self.watcher is None and "service" in config:
            say = f"{type(self).__name__}: the option 'service' is now spelled 'watcher'"
            warnings.warn(say, DeprecationWarning, stacklevel=2)  # for programs
            logger.warning("%s", say)
            self.watcher = config["service"]
        if self.watcher is None:
            raise NotImplementedError("watcher is missing: the name of the one to look after")
        self.max_cpu = float(config.get("max_cpu", 90))
        self.min_cpu = None if config.get("min_cpu") is None else float(config["min_cpu"])
        self.max_mem = _amount("max_mem", config.get("max_mem", 90))
        self.min_mem = (
            None if config.get("min_mem") is None else _amount("min_mem", config["min_mem"])
        )
        self.health_threshold = float(config.get("health_threshold", 75))
        self.max_count = int(config.get("max_count", 3))
        self.process_children = is_on(config.get("process_children", 0))
        self.child_signal = int(config.get("child_signal", 15))
        self._counts: dict[int, Counter[str]] = {}
        """By the pid of a child; 0 for the workers together."""

    def look_after(self) -> None:
        """Ask, count, and act."""
        answer = self.call("stats", name=self.watcher)
        if answer.get("status") != "ok":
            logger.warning("Cannot look after %s: %s", self.watcher, answer.get("reason"))
            self._tell("error")
            return
        workers = list(workers_of(answer["info"]))
        found = [usage_of(info, unknown=100.0) for info in workers]
        if self._is_too_much(0, found or [NOTHING]):
            self._counts.clear()
            self._tell("restarting")
            self.restart(str(self.watcher))
        elif self.process_children:
            self._look_after_children(workers)

    def _look_after_children(self, workers: Sequence[Mapping[str, Any]]) -> None:
        there = {0}
        for info in workers:
            for child in info["children"]:
                pid = int(child["pid"])
                there.add(pid)
                if self._is_too_much(pid, [usage_of(child, unknown=100.0)]):
                    del self._counts[pid]
                    self._tell("restarting")
                    logger.warning("Sending %d to %d of %s", self.child_signal, pid, self.watcher)
                    who = {"pid": info["pid"], "childpid": pid}
                    self.cast("signal", name=self.watcher, signum=self.child_signal, **who)
        self._counts = {pid: counts for pid, counts in self._counts.items() if pid in there}

    def _is_too_much(self, pid: int, found: Sequence[Usage]) -> bool:
        """Take note of one look; whether one limit has been exceeded too often in a row."""
        exceeded = set(self._exceeded(found))
        before = self._counts.get(pid, Counter())
        counts = self._counts[pid] = Counter({limit: before[limit] + 1 for limit in exceeded})
        for limit in sorted(exceeded):
            self._tell(limit)
        often = [limit for limit, count in counts.items() if count > self.max_count]
        if often:
            logger.warning("%s: %s, %d times in a row", self.watcher, often[0], counts[often[0]])
        return bool(often)

    def _exceeded(self, found: Sequence[Usage]) -> Iterator[str]:
        most_cpu, least_cpu = max(one.cpu for one in found), min(one.cpu for one in found)
        if most_cpu > self.max_cpu:
            yield "over_cpu"
        if self.min_cpu is not None and least_cpu <= self.min_cpu:
            yield "under_cpu"
        if max(map(self.max_mem.of, found)) > self.max_mem.number:
            yield "over_memory"
        if (least := self.min_mem) is not None and min(map(least.of, found)) < least.number:
            yield "under_memory"
        if (most_cpu + max(one.memory for one in found)) / 2 > self.health_threshold:
            yield "over_health"

    def _tell(self, what: str) -> None:
        self.statsd.increment(f"_resource_watcher.{self.watcher}.{what}")


def _amount(key: str, text: object) -> Amount:
    try:
        return Amount.parse(text)
    except ValueError as error:
        raise ArgumentError(f"{key}: {error}") from error
