"""The pictures in docs/web-console-pictures.md show what the console has now."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from docs.pictures import console as pictures

if TYPE_CHECKING:
    from tests.browser.chromium import Chromium


def test_pages_are_made_of_what_the_pictures_show(page: Chromium) -> None:
    with contextlib.ExitStack() as ended:
        console = pictures.begin(ended)
        ended.callback(page.clear)
        page.login(console)
        found = {}
        for one in pictures.PICTURES:
            pictures.before(page, console, one)
            found[one.name] = pictures.look(page, one)
        shown = json.loads(pictures.WORDS.read_text(encoding="utf-8"))
        assert found == shown, "python -m docs.pictures.console makes them anew"
