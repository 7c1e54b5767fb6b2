"""What no test ran, by function: lines, and ways from one line to another."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.coverage import launcher

if TYPE_CHECKING:
    from collections.abc import Iterator

TREE = Path(__file__).parents[2]


@dataclass
class Tally:
    """How many lines and branches there are, and how many of them no test ran."""

    lines: int = 0
    lines_missed: int = 0
    branches: int = 0
    branches_missed: int = 0

    def add(self, other: Tally) -> None:
        """Those of another place come on top."""
        self.lines += other.lines
        self.lines_missed += other.lines_missed
        self.branches += other.branches
        self.branches_missed += other.branches_missed

    @property
    def share(self) -> float:
        """Of both, what was run, in percent."""
        missed = self.lines_missed + self.branches_missed
        return 100.0 * (1 - missed / ((self.lines + self.branches) or 1))


@dataclass
class Function:
    """One function, or "" for what stands outside all of them, and what of it no test ran."""

    file: str
    name: str
    missed: list[str] = field(default_factory=list)
    """In the words of the source: what was not run, or after what it never went where."""

    @property
    def place(self) -> str:
        """How reasons.toml calls it."""
        return f"{self.file} {self.name}".rstrip()


@dataclass
class File:
    """One file of circus/."""

    name: str
    tally: Tally
    functions: list[Function]


def files(counted: Path, launches: launcher.Counted) -> list[File]:
    """Everything that coverage.py counted (its JSON), then the launcher."""
    found: dict[str, Any] = json.loads(counted.read_text(encoding="utf-8"))["files"]
    return [*(_python(name, one) for name, one in sorted(found.items())), _launcher(launches)]


def _python(name: str, counted: dict[str, Any]) -> File:
    summary = counted["summary"]
    tally = Tally(
        summary["num_statements"],
        summary["missing_lines"],
        summary["num_branches"],
        summary["num_branches"] - summary["covered_branches"],
    )
    source = _source(name)
    functions = [
        Function(name, function, list(_missed(source, one)))
        for function, one in counted["functions"].items()
    ]
    return File(name, tally, [one for one in functions if one.missed])


def _missed(source: list[str], counted: dict[str, Any]) -> Iterator[str]:
    missing = counted["missing_lines"]
    for line in missing:
        if line - 1 not in missing:  # the first of several says enough
            yield source[line - 1].strip()
    for start, end in counted["missing_branches"]:
        if start not in missing and end not in missing:
            where = "the end" if end < 0 else source[end - 1].strip()
            yield f"{source[start - 1].strip()} → {where}"


def _launcher(counted: launcher.Counted) -> File:
    name = str(launcher.SOURCE.relative_to(TREE))
    source = _source(name)
    missed = defaultdict(list)
    ways = sum(count == 0 for count in counted.branches.values())
    unrun = {line for line, count in counted.lines.items() if not count}
    for line in sorted(unrun):
        if line - 1 not in unrun:
            missed[counted.functions[line]].append(source[line - 1].strip())
    # a way that leads to a line which was not run is that line's; others are conditions within one
    tally = Tally(len(counted.lines), len(unrun), len(counted.branches), ways)
    return File(name, tally, [Function(name, *one) for one in missed.items()])


def _source(name: str) -> list[str]:
    return (TREE / name).read_text(encoding="utf-8").splitlines()
