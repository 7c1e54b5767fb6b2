"""The book that `make docs` makes, as it is read: with nothing from elsewhere, by everybody."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import NARROW, WIDE, Chromium
from tests.browser.test_keyboard import walk
from tests.browser.test_looks import WIDER, findings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = (
    "index", "tutorial", "architecture", "examples", "guarantees", "last-run", "benchmarks",
    "web-console-pictures", "reference/configuration", "reference/commands/status", "search",
)  # fmt: skip
"""With everything that a page may have: wide tables, long lines, drawings, pictures."""
ASKED_FOR = "return performance.getEntriesByType('resource').map((one) => one.name)"


class Quiet(SimpleHTTPRequestHandler):
    """A server of files without a log."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("book")
    build = [sys.executable, "-m", "sphinx", "-q", "docs", str(made)]
    subprocess.run(build, cwd=ROOT, timeout=100, check=True)
    return made


@pytest.fixture(scope="module")
def served(book: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(book))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def reader(chromium: Chromium, served: str) -> Iterator[Chromium]:
    """At the first page; at the end it has nothing to complain of."""
    chromium.clear()
    chromium.origin = served
    chromium.open("/index.html")
    yield chromium
    assert chromium.complaints() == []


@pytest.mark.parametrize(("theme", "size"), [("light", WIDE), ("dark", NARROW)])
def test_pages_are_for_everybody(reader: Chromium, theme: str, size: tuple[int, int]) -> None:
    reader.theme(theme)
    reader.size(*size)
    for page in PAGES:
        reader.open(f"/{page}.html")
        asked_for = reader.script(ASKED_FOR)
        assert [one for one in asked_for if not one.startswith(reader.origin)] == [], page
        assert findings(reader) == [], page
        assert reader.script(WIDER) == [], page


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_tab_reaches_all_that_is_in_sight(reader: Chromium, size: tuple[int, int]) -> None:
    reader.size(*size)
    for page in ("index", "architecture"):
        reader.open(f"/{page}.html")
        walk(reader)


def test_a_page_is_found_without_a_mouse_on_a_telephone(reader: Chromium) -> None:
    reader.size(*NARROW)
    assert not reader.there(".sidebar-drawer")
    reader.script("document.querySelector('.nav-overlay-icon .icon').focus()")
    reader.press(Keys.ENTER)
    reader.until(lambda: reader.there(".sidebar-drawer"))
    reader.script("document.querySelector('.toctree-checkbox[id$=\"-2\"]').focus()")
    reader.press(Keys.SPACE)
    reader.until(lambda: reader.there(".sidebar-drawer a[href='web-console-pictures.html']"))
    reader.press(Keys.TAB, Keys.ENTER)
    reader.until(lambda: reader.path == "/web-console-pictures.html")


@pytest.mark.parametrize("place", ["file", "http"])
def test_words_are_found(reader: Chromium, book: Path, place: str) -> None:
    if place == "file":
        reader.origin = book.as_uri()
    reader.open("/index.html")
    reader.fill(".sidebar-search", "max_retry" + Keys.ENTER)
    reader.shows("pages matching", "article")
    reader.until(lambda: reader.there("ul.search a[href^='reference/configuration.html']"))
