"""What is measured: its name, its unit, and what circusd is held to."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

from benchmarks.peers import FLOOR, OURS


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the table."""

    name: str
    title: str
    unit: str
    target: float | None = None
    beside: str = FLOOR
    """Whose result the target is a multiple of; nobody's when empty."""
    at_least: bool = False
    """More is better: speeds, not times."""

    def wording(self) -> str:
        """The target in words."""
        if self.target is None:
            return ""
        sign = ">=" if self.at_least else "<="
        if not self.beside:
            return f"{sign} {self.target:g} {self.unit}"
        whom = "" if self.beside == FLOOR else f" {self.beside}"
        return f"{sign} {self.target:g} x{whom}"


MEASURES = (
    Measure("up", "{n} workers up", "s", 1.6),
    Measure("stop", "{n} workers stopped", "s", 4.0),
    Measure("idle", "idle with {n}, CPU in 30 s", "ms", 5.0, ""),
    Measure("memory", "memory (PSS) with {n}", "MiB", 1.0, "supervisor"),
    Measure("up-identity", "{n} up: user, group, 2 limits", "s", 2.0),
    Measure("successor-10", "killed to successor, of 10", "ms", 3.0),
    Measure("successor", "killed to successor, of {n}", "ms", 3.0),
    Measure("half-killed", "{half} killed at once, all back", "s", 2.0),
    Measure("trip", "control round trip, median", "ms", 1.6),
    Measure("clients", "questions, 16 clients", "/s", 0.6, at_least=True),
    Measure("ctl", "command line asks status", "ms", 1.5),
    Measure("output-1", "output of 1 into a file", "MB/s", 1.0, "supervisor", at_least=True),
    Measure("output-1-cpu", "  CPU", "s/GB", 1.0),
    Measure("output-1-torn", "  torn lines", "%", 0.0, ""),
    Measure("output-20", "output of 20 into a file", "MB/s", 1.0, "supervisor", at_least=True),
    Measure("output-20-cpu", "  CPU", "s/GB", 1.0),
    Measure("output-20-torn", "  torn lines", "%", 0.0, ""),
    Measure("sample", "one process sampled, of {n}, CPU", "us", 3.0),
    Measure("publish", "  sampled and published, CPU", "us"),
    Measure("stats-idle", "  nobody listens, CPU in 10 s", "ms", 5.0, ""),
    Measure("plan", "plan, 1 of 1000 changed, CPU", "ms", 500.0, ""),
    Measure("reload-one", "reloadconfig of that, CPU", "ms", 500.0, ""),
    Measure("storm", "status in the storm, p99", "ms", 100.0, ""),
    Measure("storm-restart", "  calm watcher restarted, worst", "ms"),
    Measure("storm-cpu", "  CPU of the daemon, share of a core", "%"),
    Measure("storm-log", "  lines logged", "/s"),
)


@dataclass(slots=True)
class Results:
    """The samples of every measure, by peer."""

    samples: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    failures: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, measure: str, peer: str, value: float) -> None:
        """One more sample."""
        self.samples.setdefault(measure, {}).setdefault(peer, []).append(value)

    def fail(self, measure: str, peer: str, reason: str) -> None:
        """Why there is no sample, or one less."""
        self.failures.setdefault(measure, {})[peer] = reason

    def median(self, measure: str, peer: str) -> float | None:
        """None without samples."""
        found = self.samples.get(measure, {}).get(peer)
        return statistics.median(found) if found else None

    def ratio(self, measure: str, peer: str, beside: str = FLOOR) -> float | None:
        """How many times another's result; None where one is missing, or nothing to divide by."""
        one, other = self.median(measure, peer), self.median(measure, beside)
        return None if one is None or not other else one / other

    def met(self, measure: Measure) -> bool | None:
        """Whether circusd is within its target; None when that cannot be told."""
        value = self.median(measure.name, OURS)
        if measure.beside:
            value = self.ratio(measure.name, OURS, measure.beside)
        if value is None or measure.target is None:
            return None
        return value >= measure.target if measure.at_least else value <= measure.target
