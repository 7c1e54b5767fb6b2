"""docs/circus-top.md and docs/statistics.md say what the programs have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from circus.stats import program as stats
from circus.top import program as top
from circus.top.keys import table

if TYPE_CHECKING:
    import argparse

DOCS = Path(__file__).parents[2] / "docs"


def test_keys_are_those_of_the_program() -> None:
    assert f"\n{table()}\n" in (DOCS / "circus-top.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("page", "parser"), [("circus-top.md", top.parser()), ("statistics.md", stats.parser())]
)
def test_every_flag_is_named(page: str, parser: argparse.ArgumentParser) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    flags = {flag for action in parser._actions for flag in action.option_strings}
    usual = {"-h", "--help", "--version"}
    assert [flag for flag in sorted(flags - usual) if flag not in text] == []
