"""Whether numbered lines of several workers are all there, once each and in order."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LINE_BYTES = 50
WHOLE = re.compile(rb"(\d) (\d{7}) x{39}")
"""A line of tests/children/number.py, without its end."""


@dataclass
class Tally:
    """Lines of all workers together."""

    there: int = 0
    missing: int = 0
    cut: int = 0
    """Those of them that came between a copy and the cut of the file that was copied."""
    torn: int = 0
    twice: int = 0
    disorder: int = 0


class Reader:
    """Takes files in any order; workers are called 1, 2, …"""

    def __init__(self, workers: int, each: int) -> None:
        self._seen = {name: bytearray(each) for name in range(1, workers + 1)}
        self._spans: dict[int, list[tuple[int, int]]] = {name: [] for name in self._seen}
        self._before_cut: list[tuple[int, int]] = []
        self._tally = Tally()

    def read(self, text: bytes) -> dict[int, int]:
        """What is in one file. Returns the last number of each worker."""
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        for line in text.splitlines():
            if (match := WHOLE.fullmatch(line)) is None:
                self._tally.torn += 1
                continue
            name, number = int(match[1]), int(match[2])
            self._tally.twice += self._seen[name][number]
            self._seen[name][number] = 1
            self._tally.disorder += number <= last.get(name, -1)
            first.setdefault(name, number)
            last[name] = number
        for name, number in first.items():
            self._spans[name].append((number, last[name]))
        return last

    def read_copy(self, text: bytes) -> None:
        """A copy of a file that was then cut short: it may end within a line."""
        whole = text[: text.rfind(b"\n") + 1]
        self._before_cut += self.read(whole).items()

    def result(self) -> Tally:
        """When everything has been read."""
        found = self._tally
        found.there = sum(map(sum, self._seen.values()))
        found.missing = sum(map(len, self._seen.values())) - found.there
        for name, number in self._before_cut:
            found.cut += len(self._seen[name][number + 1 :].partition(b"\1")[0])
        for spans in self._spans.values():
            found.disorder += _overlaps(spans)
        return found


def _overlaps(spans: Iterable[tuple[int, int]]) -> int:
    """How many files have lines of a worker that belong before the end of another file."""
    pairs = itertools.pairwise(sorted(spans))
    return sum(after[0] <= before[1] for before, after in pairs)
