"""Samples processes again and again, with one look at each and little more."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from circus.gauges import group, process

if TYPE_CHECKING:
    from circus.gauges.process import Facts, Sample, Stat

FRESH = 10.0
"""Seconds for which it is believed what a process has as its command line and its user."""


@dataclass(slots=True)
class _Known:
    """What is remembered of a process from one round to the next."""

    born: float
    program: bytes
    facts: Facts
    until: float
    """When the facts are to be read again."""
    leaf: str | None
    sample: Sample | None = None
    of_leaf: Sample | None = None
    stat: Stat | None = None
    told: dict[str, Any] = field(default_factory=dict)
    """Of the last look."""


class Sampler:
    """Belongs to one thread. CPU shares are those since the round before."""

    def __init__(self) -> None:
        self._before: dict[int, _Known] = {}
        self._looked: dict[int, _Known] = {}

    def begin(self) -> None:
        """A new round: what was not looked at in the last one is forgotten."""
        self._before, self._looked = self._looked, {}

    def look(self, pid: int) -> dict[str, Any] | None:
        """What `stats` tells of one process, without children; None when it is gone."""
        known = self._look(pid)
        return None if known is None else known.told

    def look_below(self, pid: int) -> dict[str, Any] | None:
        """The same of a worker: with its children, and with all that it started as `tree`."""
        known = self._look(pid)
        if known is None or known.stat is None:
            return None
        below = map(self.look, process.children(pid, known.stat.threads))
        found = {**known.told, "children": [info for info in below if info is not None]}
        if known.leaf is not None:
            found["tree"] = _tree(known, known.leaf)
        return found

    def _look(self, pid: int) -> _Known | None:
        """A second look in one round tells what the first one told."""
        if pid in self._looked:
            return self._looked[pid]
        stat = process.look(pid)
        known = stat and self._known(pid, stat)
        if stat is None or known is None:
            return None
        age = process.age_of(stat)
        cpu = process.share(stat.busy, age, known.sample)
        known.stat, known.sample = stat, (stat.busy, time.monotonic())
        known.told = process.told(pid, stat, known.facts, age, cpu)
        self._looked[pid] = known
        return known

    def _known(self, pid: int, stat: Stat) -> _Known | None:
        """What is remembered, if it is the same process and the same program."""
        now = time.monotonic()
        known = self._before.get(pid)
        if known is None or known.born != stat.born:
            facts = process.facts_of(pid)
            if facts is None:
                return None
            return _Known(stat.born, stat.name, facts, now + FRESH, group.leaf_of(pid))
        if known.program != stat.name or now > known.until:
            known.facts = process.facts_of(pid) or known.facts
            known.program, known.until = stat.name, now + FRESH
        return known


def _tree(known: _Known, leaf: str) -> dict[str, float]:
    used = group.usage(leaf)
    cpu = process.share(used.busy, known.told["age"], known.of_leaf)
    known.of_leaf = used.busy, time.monotonic()
    return used.told(cpu)
