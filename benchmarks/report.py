"""The table in the terminal, and the file with every sample."""

from __future__ import annotations

import datetime
import json
import os
import platform
import sys
from typing import TYPE_CHECKING, Any

from benchmarks.measures import MEASURES, Measure, Results
from benchmarks.peers import FLOOR, OURS

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.peers import Field


class Report:
    """Prints a line for each measure as it completes."""

    def __init__(self, results: Results, peers: Field, workers: int) -> None:
        self._results = results
        self._field = peers
        self._workers = workers
        self._others = [peer.name for peer in peers.peers if peer.name not in (FLOOR, OURS)]
        self._shown = 0

    def head(self) -> None:
        """Who takes part, and the titles of the columns."""
        versions = (f"{peer.name} {peer.version}".strip() for peer in self._field.peers)
        print(f"{', '.join(versions)}; Python {platform.python_version()}, {os.cpu_count()} cores")
        for name, reason in self._field.missing.items():
            print(f"without {name}: {reason}")
        others = "".join(f"{name:>12}" for name in self._others)
        titles = f"{'circusd':>10} {'floor':>10} {'unit':5}{'ratio':>9}  {'target':18}{'':7}"
        print(f"{'':38}{titles}{others}", flush=True)

    def progress(self, text: str) -> None:
        """What is done at the moment, where somebody watches."""
        if sys.stderr.isatty():
            print(f"\r\x1b[K{text}"[:100], end="", file=sys.stderr, flush=True)

    def line(self, measure: Measure) -> None:
        """One measure, and below it who failed at it."""
        self.progress("")
        name, results = measure.name, self._results
        title = measure.title.format(n=self._workers, half=self._workers // 2)
        ours, least = results.median(name, OURS), results.median(name, FLOOR)
        met = {True: "met", False: "MISSED", None: ""}[results.met(measure)]
        columns = f"{number(ours):>10} {number(least):>10} {measure.unit:5}"
        ratio = results.ratio(name, OURS) if measure.beside else None
        ratios = f"{times(ratio):>9}  {measure.wording():18}{met:7}"
        others = "".join(f"{self._other(measure, peer):>12}" for peer in self._others)
        print(f"{title:38}{columns}{ratios}{others}".rstrip(), flush=True)
        for peer, reason in results.failures.get(name, {}).items():
            print(f"    {peer}: {reason}", flush=True)

    def _other(self, measure: Measure, peer: str) -> str:
        ratio = self._results.ratio(measure.name, peer)
        if ratio is not None and measure.beside:
            return times(ratio)
        value = self._results.median(measure.name, peer)
        return "-" if value is None else f"{number(value)} {measure.unit}"

    def save(self, path: Path, rounds: int) -> None:
        """Everything, as JSON."""
        results = self._results
        measures = [self._record(one) for one in MEASURES if one.name in results.samples]
        found = {
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "python": platform.python_version(),
            "kernel": platform.release(),
            "cores": os.cpu_count(),
            "workers": self._workers,
            "rounds": rounds,
            "versions": {peer.name: peer.version for peer in self._field.peers},
            "missing": self._field.missing,
            "measures": measures,
        }
        path.write_text(json.dumps(found, indent=1) + "\n")

    def _record(self, measure: Measure) -> dict[str, Any]:
        results, name = self._results, measure.name
        return {
            "name": name,
            "unit": measure.unit,
            "target": measure.wording(),
            "met": results.met(measure),
            "results": {
                peer: {
                    "median": results.median(name, peer),
                    "ratio": results.ratio(name, peer),
                    "samples": samples,
                }
                for peer, samples in results.samples[name].items()
            },
            "failures": results.failures.get(name, {}),
        }


def number(value: float | None) -> str:
    """Three or four digits that count."""
    if value is None:
        return "-"
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def times(ratio: float | None) -> str:
    """A ratio; nothing where there is none."""
    if ratio is None:
        return ""
    return f"{ratio:.0f} x" if ratio >= 100 else f"{ratio:.2f} x"
