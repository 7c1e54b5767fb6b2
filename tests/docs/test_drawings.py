"""The pictures of how Circus is made show what is in the code now, and stand on a page."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from circus.core.slot import EVENTS, State
from docs.pictures import drawings

ROOT = Path(__file__).parents[2]
PAGES = "".join(
    (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    for page in ("architecture", "use-cases")
)


@pytest.mark.parametrize("name", drawings.DRAWINGS)
def test_a_drawing_is_fresh_and_shown(name: str) -> None:
    drawn = drawings.DRAWINGS[name]()
    again = "python -m docs.pictures.drawings draws it anew"
    assert drawings.file(name).read_text(encoding="utf-8") == drawn, again
    assert f"](pictures/{name}.svg)" in PAGES


def test_the_life_has_every_state_and_event() -> None:
    found = drawings.arrows_of_a_life()
    assert {one for pair in found for one in pair} - {drawings.END} == set(State)
    events = set().union(*found.values())
    assert events == {event.__name__ for event in EVENTS}


def test_the_layers_are_all_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    named = re.findall(r"circus\.(\w+)", " ".join(layers))
    drawn = drawings.layers()
    assert [name for name in named if not re.search(rf"\b{name}\b", drawn)] == []
    assert drawn.count("<rect") == len(layers) + 1
