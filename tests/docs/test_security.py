"""The page on who may do what names every command and every option. That it is true is shown by
tests/daemon/test_access.py."""

from __future__ import annotations

import itertools
from pathlib import Path

from circus.commands import COMMANDS
from circus.config.model import WatcherConfig
from circus.config.schema import rows

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
ROLES = ("read", "operate", "admin")


def documented(title: str) -> dict[str, int]:
    """A table of the page: what needs which role, as a rank."""
    found = {}
    _, _, table = PAGE.read_text().partition(f"| Role | {title} |\n")
    for line in itertools.takewhile(lambda line: line.startswith("|"), table.splitlines()[1:]):
        role, things = (cell.strip() for cell in line.strip("|").split("|"))
        for thing in things.split(", "):
            found[thing.replace("`", "")] = ROLES.index(role) + 1
    return found


COMMANDS_TABLE = documented("Commands")
OPTIONS_TABLE = documented("Options")


def test_the_page_is_complete() -> None:
    verbs = {command.verb for command in COMMANDS if not command.wire_only}
    assert set(COMMANDS_TABLE) == verbs | {"restart without a name"}
    options = {row.name for row in rows(WatcherConfig)}
    assert set(OPTIONS_TABLE) == options | {"and keys that are no option"}
