"""Files as people write them: what they become is known to the letter, and no line is passed over.

After a change of an importer: `python -m tests.importers.golden`, and read what has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from circus.config.load import examine
from tests.importers.golden import EXPECTED, Case, cases, expected, outcome

if TYPE_CHECKING:
    from pathlib import Path

CASES = cases()
VARIABLES = {
    **dict.fromkeys(["PATH", "API_SECRET", "USER", "HOME", "VAR"], "x"),
    **dict.fromkeys(["PORT", "WEB_ON", "WORKERS", "PATIENCE"], "1"),
}
ALL = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@ALL
def test_it_becomes_what_is_expected(case: Case) -> None:
    for name, text in zip(EXPECTED, expected(case), strict=True):
        assert text == (case.folder / name).read_text(encoding="utf-8"), (
            f"{case.folder / name} is stale: python -m tests.importers.golden"
        )


@ALL
def test_each_line_of_the_source_is_accounted_for(case: Case) -> None:
    told = {
        (entry.option.file, line)
        for entry in outcome(case).report.entries
        for line in range(entry.option.line, entry.option.last + 1)
    }
    for file in {file for file, _ in told}:
        for number, line in enumerate((case.folder / file).read_text().splitlines(), 1):
            nothing = line.strip()[:1] in ("", "#", ";")
            assert nothing or (file, number) in told, f"{file}:{number}: {line}"


@ALL
def test_circusd_takes_it(case: Case, tmp_path: Path) -> None:
    made = tmp_path / "circus.ini"
    made.write_text(outcome(case).text)
    _, problems = examine(str(made), VARIABLES)
    assert problems == ()
