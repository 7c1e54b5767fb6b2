"""docs/circus-top.md and docs/statistics.md say what the programs have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from circus.stats import program as stats
from circus.top import program as top
from circus.top.keys import BINDINGS, table
from circus.top.screen import COLUMNS, SIGNALS, key_bar
from docs.pictures import circus_top

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


@pytest.mark.parametrize("one", circus_top.PICTURES, ids=lambda one: str(one.name))
def test_a_picture_shows_what_the_program_has_now(one: circus_top.Picture) -> None:
    path = circus_top.file(one)
    root = ElementTree.parse(path).getroot()  # noqa: S314 a file of ours
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    shown = " ".join("".join(root.itertext()).split())
    named = [column.title for column in COLUMNS]
    last = key_bar(one.columns, readonly=False)
    if one.name == "help":
        named, last = [binding.help for binding in BINDINGS], "Any key goes back"
    elif one.name == "signal":
        last = SIGNALS
    again = "python -m docs.pictures.circus_top makes it anew"
    assert [name for name in (*named, " ".join(last.split())) if name not in shown] == [], again


def test_the_page_has_every_picture() -> None:
    text = (DOCS / "circus-top.md").read_text(encoding="utf-8")
    named = set(re.findall(r"!\[[^\]]+\]\((pictures/[\w-]+\.svg)\)", text))
    assert named == {f"pictures/{circus_top.file(one).name}" for one in circus_top.PICTURES}
    assert named == {
        f"pictures/{path.name}" for path in (DOCS / "pictures").glob("circus-top-*.svg")
    }
