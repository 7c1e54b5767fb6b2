"""Write docs/last-run.md from the results of `make test`: `python -m tests.proof.last_run`."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from tests.proof.guarantees import guarantees, shown
from tests.proof.results import FOLDER, ROOT, Part, parts

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = ROOT / "docs" / "last-run.md"
HEAD = """\
# What the last run showed

Made by `python -m tests.proof.last_run` from what `make test` left in `build/`. It ran at commit
{commit} and ended on {when} (UTC).

## Guarantees

{shown} of {all} [guarantees](guarantees.md) were shown to hold.

| | Sentence | Its tests |
|---:|---|---|
"""
PARTS = """
## Tests

| Part | Passed | Skipped | Failed | |
|---|---:|---:|---:|---|
"""


def page(run: dict[str, Part]) -> str:
    """The page for a run. What was run at another commit than most is left out."""
    commit = Counter(part.commit for part in run.values()).most_common(1)[0][0]
    run = {name: part for name, part in run.items() if part.commit == commit}
    when = max(one.when for part in run.values() for one in part.tests.values())
    rows, holds = [], 0
    for one in guarantees():
        results = [shown(test, run, commit).result for test in one.tests]
        holds += set(results) == {"passed"}
        rows.append(f"| {one.number} | {one.sentence} | {', '.join(sorted(set(results)))} |\n")
    head = HEAD.format(commit=commit, when=when, shown=holds, all=len(rows))
    return head + "".join(rows) + PARTS + "".join(table(run))


def table(run: dict[str, Part]) -> Iterator[str]:
    """A row for each part, and one for all."""
    total: Counter[str] = Counter()
    for name, part in run.items():
        words = Counter(one.word for one in part.tests.values())
        total += words
        numbers = f"{words['passed']} | {words['skipped']} | {words['failed']}"
        yield f"| {name} | {numbers} | {'' if part.whole else 'some of its tests'} |\n"
    yield f"| all | {total['passed']} | {total['skipped']} | {total['failed']} | |\n"


if __name__ == "__main__":
    if not (found := parts()):
        sys.exit(f"there are no results in {FOLDER}: run make test first")
    PAGE.write_text(page(found), encoding="utf-8")
