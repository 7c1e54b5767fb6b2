"""Whether each sentence of docs/guarantees.md was shown to hold.

`python -m tests.proof.guarantees` is the last part of `make test`. It fails for each sentence with
a test that did not pass at the commit that is checked out.
"""

from __future__ import annotations

import re
import sys
from typing import NamedTuple

from tests.proof.results import ROOT, WORSE, Part, commit, parts

PAGE = ROOT / "docs" / "guarantees.md"
ITEM = re.compile(r"^(\d+)\. +\*\*(.+?)\*\*(.*?)(?=^\d+\. |^#|\Z)", re.MULTILINE | re.DOTALL)
TEST = re.compile(r"`(tests/[\w/]+\.py::test_\w+)`")


class Guarantee(NamedTuple):
    """A sentence and the tests that show that it holds."""

    number: int
    sentence: str
    tests: list[str]


class Shown(NamedTuple):
    """What a run says about one of these tests; only `passed` will do."""

    test: str
    result: str
    when: str


def guarantees() -> list[Guarantee]:
    """Those of the page, in its order."""
    return [
        Guarantee(int(number), " ".join(sentence.split()), TEST.findall(rest))
        for number, sentence, rest in ITEM.findall(PAGE.read_text(encoding="utf-8"))
    ]


def part_of(test: str) -> str:
    """The part of `make test` that runs a test."""
    return test.split("/")[1]


def shown(test: str, run: dict[str, Part], now: str) -> Shown:
    """The worst of a test's cases, in the results that belong to the commit `now`."""
    part = run.get(part_of(test))
    if part is None:
        return Shown(test, "not run", "")
    cases = [one for name, one in part.tests.items() if name.partition("[")[0] == test]
    if not cases:
        return Shown(test, "not run", "")
    worst = max(cases, key=lambda one: WORSE.index(one.word))
    when = max(one.when for one in cases)
    if part.commit != now:
        return Shown(test, f"{worst.word} at {part.commit}, which is another commit", when)
    return Shown(test, f"{worst.word}: {worst.why}" if worst.why else worst.word, when)


def main() -> int:
    """Print the table; 1 when something was not shown."""
    run, now, lines = parts(), commit(), []
    missing: dict[int, list[Shown]] = {}
    for one in guarantees():
        lines.append(f"{one.number:>2}  {one.sentence}")
        for test in one.tests:
            found = shown(test, run, now)
            lines.append(f"      {found.result:8}{found.when:18}{test}")
            if found.result != "passed":
                missing.setdefault(one.number, []).append(found)
    if missing:
        lines.append("\nNot shown to hold:")
        lines += [f"  {n}: {one.test} {one.result}" for n in missing for one in missing[n]]
        again = sorted({part_of(one.test) for found in missing.values() for one in found})
        lines.append(f"\nRun first: make test ONLY={','.join(again)},guarantees")
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
