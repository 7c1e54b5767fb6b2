"""What every part of a run is given."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import running as run
from benchmarks.machine import TooSlow, end_everything

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.loads import Load, Site
    from benchmarks.measures import Results
    from benchmarks.peers import Peer
    from benchmarks.report import Report


@dataclass(frozen=True, slots=True)
class Bench:
    """One run: who takes part, how often, and where the results go."""

    site: Site
    peers: list[Peer]
    rounds: int
    workers: int
    wanted: frozenset[str]
    """Names of measures."""
    results: Results
    report: Report

    def turns(self, what: str) -> Iterator[tuple[int, Peer]]:
        """Everybody in turn, again and again: what a machine does meanwhile hits all."""
        for number in range(self.rounds):
            for peer in self.peers:
                self.report.progress(f"{what}: round {number + 1} of {self.rounds}, {peer.name}")
                yield number, peer
                end_everything()

    @contextlib.contextmanager
    def running(self, peer: Peer, load: Load) -> Iterator[run.Running]:
        """A supervisor with a load in a folder of its own."""
        with run.running(peer, load, self.site.start()) as found:
            yield found

    def add(self, measure: str, peer: Peer, value: float) -> None:
        """One more sample."""
        if measure in self.wanted:
            self.results.add(measure, peer.name, value)

    @contextlib.contextmanager
    def failing(self, peer: Peer, *measures: str) -> Iterator[None]:
        """One that is too slow has no sample, and the others go on."""
        try:
            yield
        except (TooSlow, OSError) as error:
            for measure in self.wanted.intersection(measures):
                self.results.fail(measure, peer.name, str(error))
