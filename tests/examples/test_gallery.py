"""No example without a page that starts it, and none that its readers do not find."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.examples.conftest import EXAMPLES

TABLE = (EXAMPLES / "README.md").read_text(encoding="utf-8")
FOLDERS = sorted(path for path in EXAMPLES.iterdir() if path.is_dir())
CONFIGURATIONS = sorted(EXAMPLES.glob("*/*.ini"))
NOT_STARTED = {"timer/report.ini": "a part of the configuration of a service"}


def name(path: Path) -> str:
    return str(path.relative_to(EXAMPLES))


def consoles(page: Path) -> str:
    """What a page has its readers type; tests/pages does it."""
    text = page.read_text(encoding="utf-8")
    return "\n".join(re.findall(r"^```console\n(.*?)^```", text, re.M | re.S))


def test_the_table_has_every_example() -> None:
    there = {path.name for path in FOLDERS} | {path.name for path in EXAMPLES.glob("*.ini")}
    shown = re.findall(r"^\| \[([^\]]+)\]\(", TABLE, re.M)
    assert set(shown) == there
    assert len(shown) == len(there)


@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_a_page_goes_with_each(folder: Path) -> None:
    page = folder / "README.md"
    assert consoles(page)
    assert f"]({folder.name}/README.md)" in TABLE


@pytest.mark.parametrize(
    "path", [path for path in CONFIGURATIONS if name(path) not in NOT_STARTED], ids=name
)
def test_each_configuration_is_started_by_its_page(path: Path) -> None:
    assert re.search(rf"^[$#] circusd {path.name}$", consoles(path.parent / "README.md"), re.M)


@pytest.mark.parametrize("path", [*EXAMPLES.glob("*/*.py"), *EXAMPLES.glob("*.py")], ids=name)
def test_each_program_is_used(path: Path) -> None:
    """By a configuration, a page, or another program of its folder."""
    others = [one for one in path.parent.iterdir() if one != path and one.is_file()]
    text = "\n".join(one.read_text(encoding="utf-8") for one in others)
    assert re.search(rf"\b{path.stem}\b", text)
