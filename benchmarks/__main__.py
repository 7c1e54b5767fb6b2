"""`python -m benchmarks`: circusd beside its peers and the bare floor.

One line for each measure: circusd, the floor of the same run, their ratio, the target, and the
ratio of each peer to the floor (where the floor is nothing, the peer's result). Medians. What is
missing is installed: circus 0.19.0 and supervisor in environments of their own, s6 and runit from
Debian. Whatever is started is ended, also after Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import changes, control, lifecycle, machine, output, sampling, storm
from benchmarks.bench import Bench
from benchmarks.loads import Site
from benchmarks.measures import MEASURES, Results
from benchmarks.peers import NAMES, gather
from benchmarks.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable

PARTS: tuple[tuple[Callable[[Bench], None], tuple[str, ...]], ...] = (
    (lifecycle.standing, ("up", "stop", "idle", "memory")),
    (lifecycle.identity, ("up-identity",)),
    (lifecycle.deaths_of_few, ("successor-10",)),
    (lifecycle.deaths_of_many, ("successor", "half-killed")),
    (control.questions, ("trip", "clients")),
    (control.command_lines, ("ctl",)),
    (output.one, ("output-1", "output-1-cpu", "output-1-torn")),
    (output.twenty, ("output-20", "output-20-cpu", "output-20-torn")),
    (sampling.sampled, sampling.NAMES),
    (changes.one_among_many, ("plan", "reload-one")),
    (storm.storm, ("storm", "storm-restart", "storm-cpu", "storm-log")),
)
"""What is done together, and the measures that come of it."""
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """Run what the command line asks for."""
    args = arguments()
    prepare()
    site, results = Site(), Results()
    field = gather(args.peers)
    report = Report(results, field, args.workers)
    bench = Bench(
        site, field.peers, args.rounds, args.workers, frozenset(args.only), results, report
    )
    report.head()
    try:
        for part, names in PARTS:
            if bench.wanted.isdisjoint(names):
                continue
            part(bench)
            for measure in MEASURES:
                if measure.name in bench.wanted.intersection(names):
                    report.line(measure)
    finally:
        for signum in ENDS:  # once is enough
            signal.signal(signum, signal.SIG_IGN)
        machine.end_everything()
        site.close()
        if args.json:
            report.save(args.json, args.rounds)


def prepare() -> None:
    """Make this process one that ends what it starts, and whose settings change nothing."""
    machine.adopt_orphans()
    for name in [name for name in os.environ if name.startswith("PYTHON")]:
        del os.environ[name]  # such as keep modules from being compiled once for all
    for signum in ENDS:
        signal.signal(signum, lambda number, _: sys.exit(128 + number))


def arguments() -> argparse.Namespace:
    """What the command line says."""
    names = tuple(one.name for one in MEASURES)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"Measures: {', '.join(names)}.",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    parser.add_argument("--only", type=listed(names), default=names, metavar="NAMES")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument("--workers", type=int, default=1000, metavar="N")
    parser.add_argument(
        "--peers", type=listed(NAMES), default=NAMES, metavar="NAMES", help=", ".join(NAMES)
    )
    return parser.parse_args()


def listed(known: tuple[str, ...]) -> Callable[[str], list[str]]:
    """Reads names with commas between them."""

    def read(text: str) -> list[str]:
        names = [name.strip() for name in text.split(",")]
        unknown = set(names) - set(known)
        if unknown:
            raise argparse.ArgumentTypeError(f"no such name: {', '.join(sorted(unknown))}")
        return names

    return read


if __name__ == "__main__":
    main()
