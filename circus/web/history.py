"""What watchers and circusd used during the last day, in rings of a fixed size.

A ring has a place for each step of time and none for moments, which follow from the steps. Of one
name there are RECENT with 300 and DAY with 1440 places, each with two numbers of four bytes: 13 920
bytes, and with 1 000 names, which is the most, 14 MB. Places are made when they are first needed: a
console that has run for an hour has a fifth of that.
"""

from __future__ import annotations

import math
import threading
from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = 1000
"""Of so many watchers there is a history; more have none."""
OWN = ""
"""In place of a watcher's name: circusd itself."""
UNKNOWN = math.nan


class Span(NamedTuple):
    """How far back a ring goes, and how long one step is: seconds."""

    seconds: int
    step: int


RECENT = Span(1200, 4)
DAY = Span(86400, 60)


class Used(NamedTuple):
    """CPU in percent of one core, resident memory in bytes."""

    cpu: float | None
    rss: float | None


class Ring:
    """The mean of each step. Moments are epoch seconds; the clock may be set."""

    def __init__(self, span: Span) -> None:
        self._step = span.step
        self._places = span.seconds // span.step
        self._series = (array("f"), array("f"))
        self._counts = [0, 0]
        """Samples in the step that is being filled."""
        self._first = 0
        """The step that the first place was made for."""
        self._last = -1 - self._places
        """The step that is being filled."""

    @property
    def size(self) -> int:
        """Bytes that its numbers take."""
        return sum(len(series) * series.itemsize for series in self._series)

    def add(self, at: float, used: Used) -> None:
        """One sample. When the clock was set back it begins anew."""
        step = int(at // self._step)
        if not 0 <= step - self._last <= self._places:
            self._series = (array("f"), array("f"))
            self._first, self._last = step, step - 1
        while self._last < step:
            self._last += 1
            self._counts = [0, 0]
            for series in self._series:
                self._open(series, self._place(self._last))
        place = self._place(step)
        for which, value in enumerate(used):
            if value is not None:
                self._counts[which] += 1
                self._blend(self._series[which], place, value, self._counts[which])

    def read(self, now: float, seconds: float) -> dict[str, Any]:
        """`at`, `cpu` and `rss` of the last `seconds`; None where nothing is known."""
        end = int(now // self._step)
        oldest = max(self._first, self._last - self._places + 1)
        steps = range(max(oldest, end - int(seconds // self._step) + 1), end + 1)
        cpu, rss = self._series
        if not cpu:
            steps = range(0)
        return {
            "step": self._step,
            "at": [step * self._step for step in steps],
            "cpu": [self._value(cpu, step, 2) for step in steps],
            "rss": [self._value(rss, step, 0) for step in steps],
        }

    def _place(self, step: int) -> int:
        return (step - self._first) % self._places

    def _open(self, series: array[float], place: int) -> None:
        if place == len(series):
            series.append(UNKNOWN)
        else:
            series[place] = UNKNOWN

    def _blend(self, series: array[float], place: int, value: float, count: int) -> None:
        series[place] = value if count == 1 else series[place] + (value - series[place]) / count

    def _value(self, series: array[float], step: int, digits: int) -> float | None:
        value = series[self._place(step)] if step <= self._last else UNKNOWN
        return None if math.isnan(value) else round(value, digits)


class _Record:
    """Of one watcher."""

    def __init__(self) -> None:
        self.rings = {span: Ring(span) for span in (RECENT, DAY)}
        self.at = 0.0
        """When there was something to add last."""


class History:
    """Of circusd and of watchers by name; also of those that are gone, until others need the room.

    For any number of threads.
    """

    def __init__(self, names: int = NAMES) -> None:
        self._names = names
        self._lock = threading.Lock()
        self._records: dict[str, _Record] = {}

    @property
    def size(self) -> int:
        """Bytes that all numbers take."""
        with self._lock:
            rings = (ring for one in self._records.values() for ring in one.rings.values())
            return sum(ring.size for ring in rings)

    def add(self, at: float, used: Mapping[str, Used]) -> None:
        """One sample of each."""
        with self._lock:
            for name, sample in used.items():
                record = self._records.get(name) or self._room(name, at)
                if record is not None:
                    record.at = at
                    for ring in record.rings.values():
                        ring.add(at, sample)

    def read(self, name: str, now: float, seconds: float) -> dict[str, Any] | None:
        """As Ring.read, from the finest that goes so far back; None for a name never heard of."""
        with self._lock:
            record = self._records.get(name)
            if record is None:
                return None
            span = RECENT if seconds <= RECENT.seconds else DAY
            return record.rings[span].read(now, min(seconds, span.seconds))

    def _room(self, name: str, at: float) -> _Record | None:
        """A new record, in place of the one of which nothing was heard for longest."""
        if len(self._records) >= self._names:
            oldest = min(self._records, key=lambda one: self._records[one].at)
            if self._records[oldest].at >= at:
                return None
            del self._records[oldest]
        record = self._records[name] = _Record()
        return record
