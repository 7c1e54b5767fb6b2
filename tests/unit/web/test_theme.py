"""What the styles say twice."""

from __future__ import annotations

import re

from circus.web.assets import FOLDER


def test_dark_is_the_same_whoever_has_chosen_it() -> None:
    text = (FOLDER / "theme.css").read_text(encoding="utf-8")
    of_the_system, of_the_switch = (
        re.search(rf"^ *:root{which}\{{(.*?)\}}", text, re.MULTILINE | re.DOTALL)
        for which in (r':not\(\[data-theme="light"\]\) ', r'\[data-theme="dark"\] ')
    )
    assert of_the_system is not None
    assert of_the_switch is not None
    assert of_the_system[1].split() == of_the_switch[1].split()
    assert "--ground:" in of_the_switch[1]
