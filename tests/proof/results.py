"""What each part of `make test` showed, kept for those who ask afterwards.

A file in build/results/ for each part of tox.ini: how each of its tests ended, all at one commit.
A part that is run again for some of its tests changes these alone; another commit begins anew.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "results"
WORSE = ("passed", "skipped", "failed")


class Ended(NamedTuple):
    """How a test ended, when (UTC), and why when it was skipped."""

    word: str
    when: str
    why: str


@dataclass
class Part:
    """A part of tox.ini at one commit. `whole`: all of its tests have been asked for at once."""

    commit: str
    whole: bool = False
    tests: dict[str, Ended] = field(default_factory=dict)


def commit() -> str:
    """What is checked out, `-dirty` when it was changed since."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


def parts() -> dict[str, Part]:
    """Every part of which there are results, by its name."""
    return {path.stem: read(path) for path in sorted(FOLDER.glob("*.json"))}


def read(path: Path) -> Part:
    """What `write` has written."""
    whole = json.loads(path.read_text(encoding="utf-8"))
    tests = {name: Ended(*ended) for name, ended in whole.pop("tests").items()}
    return Part(**whole, tests=tests)


def write(path: Path, part: Part) -> None:
    """At once, so that nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".new")
    written.write_text(json.dumps(vars(part), indent=0), encoding="utf-8")
    written.replace(path)


class Recorder:
    """A plugin of pytest: keeps how the tests of one part end."""

    def __init__(self, name: str, *, whole: bool, folder: Path = FOLDER) -> None:
        self._tests = f"tests/{name}/"
        self._path = folder / f"{name}.json"
        self._part = Part(commit(), whole)
        if whole:  # whoever is killed in the middle has shown nothing
            self._path.unlink(missing_ok=True)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Of its three stages the worst counts, and only the test itself can have passed."""
        name, word = report.nodeid, report.outcome
        if not name.startswith(self._tests) or (word == "passed" and report.when != "call"):
            return
        before = self._part.tests.get(name)
        if before is None or WORSE.index(word) > WORSE.index(before.word):
            why = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
            when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
            self._part.tests[name] = Ended(word, when, why.removeprefix("Skipped: "))

    def pytest_sessionfinish(self) -> None:
        """What was known of other tests at this commit stays."""
        if self._path.exists() and (before := read(self._path)).commit == self._part.commit:
            self._part.whole |= before.whole
            self._part.tests = before.tests | self._part.tests
        write(self._path, self._part)
