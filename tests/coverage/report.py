"""Write what was measured into docs/code-coverage.md, each place that no test ran with its reason.

    python -m tests.coverage.report

The reasons are in reasons.toml, by function: a function that is not there has none. Says so when a
reason is no longer needed. Exit status 1 when the parts were not all measured on the same circus/:
their commits may differ in tests.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.coverage import launcher, measure, places

PAGE = measure.TREE / "docs" / "code-coverage.md"
MARK = "<!-- what follows is written by `python -m tests.coverage.report` -->\n"
REASONS = Path(__file__).with_name("reasons.toml")
UNKNOWN = "No reason known: a test is missing"
MOST = 3
"""So many lines of one function are shown."""
WIDTH = 72
"""And so many characters of each."""


def main() -> int:
    """Write the page. Returns the exit status."""
    runs = [json.loads(file.read_text()) for file in sorted(measure.RUNS.iterdir())]
    if len({code(run["commit"]) for run in runs}) != 1:
        print("run `make coverage` for all parts: they have to be of one circus/", file=sys.stderr)
        return 1
    launches = launcher.Counted()
    for counted in measure.LAUNCHES.iterdir():
        launches.add(launcher.read(measure.LAUNCHER, counted))
    found = places.files(measure.RESULT, launches)
    missed = {function.place: function for file in found for function in file.functions}
    why = reasons()
    for place in sorted(why.keys() - missed.keys()):
        print(f"reasons.toml: {place}: this was run", file=sys.stderr)
    head = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    sections = [measured(runs), table(found), unloaded(found), *grouped(missed, why)]
    PAGE.write_text(head + MARK + "\n" + "\n\n".join(sections) + "\n", encoding="utf-8")
    return 0


def code(commit: str) -> str:
    """The tree that circus/ is at a commit; of one that was changed since, what it is called."""
    asked = ["git", "rev-parse", "--quiet", "--verify", f"{commit}:circus"]
    found = subprocess.run(asked, cwd=measure.TREE, capture_output=True, text=True, check=False)
    return found.stdout.strip() or commit


def reasons() -> dict[str, str]:
    """By place, as `places.Function` calls it."""
    groups: dict[str, list[str]] = tomllib.loads(REASONS.read_text(encoding="utf-8"))
    return {place: reason for reason, group in groups.items() for place in group}


def below(name: str) -> str:
    """As it is called within circus/; the page is not to be wrong as soon as a file is moved."""
    return name.removeprefix("circus/")


def measured(runs: list[dict[str, Any]]) -> str:
    """When, on what, and which tests failed while they were measured."""
    first = runs[0]
    commits = " and ".join(sorted({f"`{run['commit']}`" for run in runs}))
    names = ", ".join(f"`{run['part']}`" for run in runs)
    minutes = sum(run["seconds"] for run in runs) / 60
    failed = [f"`{test}`" for run in runs for test in run["failed"]]
    said = f"These failed while they were measured: {', '.join(failed)}." if failed else (
        "No test failed while it was measured."
    )  # fmt: skip
    return (
        f"## The last measurement\n\nOn {first['date']}, at commit {commits}, with "
        f"{first['with']}: {names}, in {minutes:.0f} minutes. {said}"
    )


def table(found: list[places.File]) -> str:
    """A row for each package, the launcher, and all."""
    rows: defaultdict[str, places.Tally] = defaultdict(places.Tally)
    for file in found:
        package = file.name if file.name.endswith(".c") else f"{file.name.rpartition('/')[0]}/"
        rows[f"`{below(package) or package}`"].add(file.tally)
        rows["all of it"].add(file.tally)
    rows["all of it"] = rows.pop("all of it")  # comes last
    lines = ["| | Lines | Not run | Branches | Not taken | Run |", "|---|--:|--:|--:|--:|--:|"]
    lines += [
        f"| {name} | {one.lines} | {one.lines_missed} | {one.branches} | {one.branches_missed} "
        f"| {one.share:.1f} % |"
        for name, one in rows.items()
    ]
    return "\n".join(lines)


def unloaded(found: list[places.File]) -> str:
    """The modules that no process of any test has loaded."""
    there = {str(file.relative_to(measure.TREE)) for file in measure.PACKAGE.rglob("*.py")}
    names = sorted(there - {file.name for file in found})
    said = ", ".join(f"`{below(name)}`" for name in names) or "none"
    return f"Modules that no test loads, so that they are not in the table: {said}."


def grouped(missed: dict[str, places.Function], why: dict[str, str]) -> list[str]:
    """What was not run, by reason; what has none comes first."""
    groups: defaultdict[str, list[places.Function]] = defaultdict(list)
    for place, function in missed.items():
        groups[why.get(place, UNKNOWN)].append(function)
    order = sorted(groups, key=lambda reason: (reason != UNKNOWN, reason))
    counts = "\n".join(f"| {reason} | {len(groups[reason])} |" for reason in order)
    overview = f"## What was not run, and why\n\n| Reason | Functions |\n|---|--:|\n{counts}"
    return [overview, *(section(reason, groups[reason]) for reason in order)]


def section(reason: str, functions: list[places.Function]) -> str:
    """One reason and all that it is for."""
    lines = [f"### {reason}", "", "| Function | What of it was not run |", "|---|---|"]
    for one in functions:
        more = f", {len(one.missed) - MOST} more" if len(one.missed) > MOST else ""
        shown = ", ".join(f"`` {short(text)} ``" for text in one.missed[:MOST])
        name = f" `{one.name}`" if one.name else ""
        lines.append(f"| `{below(one.file)}`{name} | {shown}{more} |")
    return "\n".join(lines)


def short(text: str) -> str:
    """A line of source as a cell of a table can have it."""
    return textwrap.shorten(text, WIDTH, placeholder=" …").replace("|", r"\|")


if __name__ == "__main__":
    sys.exit(main())
