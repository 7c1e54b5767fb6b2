"""Every page for everybody: read aloud, in either theme, on a telephone, without scripts."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import NARROW, Chromium
from tests.browser.pages import PAGES, busy, end

if TYPE_CHECKING:
    from tests.web.conftest import Open

AXE = """
const [done] = [...arguments].slice(-1);
axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => done(
    violations.map(({ id, help, nodes }) => [id, help, nodes.map(({ html, failureSummary }) =>
        html.slice(0, 200) + " " + failureSummary)])), (error) => done([String(error)]));
"""
"""Rules of WCAG 2.2 and those that axe calls best practice."""
WIDER = """
const box = (one) => one.getBoundingClientRect();
const beyond = (one, edge) => one.checkVisibility() && box(one).right > edge + 1;
const wide = document.documentElement.scrollWidth > innerWidth;
const far = [...document.querySelectorAll(wide ? "body *" : "nobody")].filter((one) =>
    beyond(one, innerWidth));
const fields = [...document.querySelectorAll("input, select, button")].filter((one) =>
    beyond(one, box(one.parentElement).right));
return [...far, ...fields].map((one) => one.outerHTML.slice(0, 120));
"""
"""What makes a page wider than its window, and fields that reach into what is beside them."""


def findings(page: Chromium) -> list[object]:
    """What axe-core has to say about what is shown now."""
    source = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
    if page.script("return typeof axe") == "undefined":
        page.script(source + ";window.axe = axe")
    found: list[object] = page.driver.execute_async_script(AXE)
    return found


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(page: Chromium, consoles: Open, theme: str) -> None:
    console = busy(consoles)
    page.theme(theme)
    page.visit(console).open("/login")
    assert findings(page) == []
    page.login(console)
    page.forgive("status of 404")
    for path in PAGES:
        page.open(path)
        page.shows("Live", "#live")
        assert findings(page) == [], path
    page.open("/")
    page.press("?")
    page.until(lambda: page.there("#keys-help"))
    assert findings(page) == []
    page.open("/watchers/web")
    page.until(lambda: page.there(".uplot"))
    page.click("table.workers .do button")
    page.until(lambda: page.there("#ask"))
    assert findings(page) == []
    page.size(*NARROW)
    for path in ("/", "/watchers/web", "/watchers/web/logs", "/plan"):
        page.open(path)
        assert findings(page) == [], path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_when_circusd_is_away(page: Chromium, consoles: Open, theme: str) -> None:
    console = busy(consoles)
    page.theme(theme)
    page.login(console)
    page.forgive("status of 503")
    end(console.daemon)
    page.shows("Stale since", "#live")
    assert findings(page) == []
    for path in ("/watchers/web", "/connect", "/plan"):
        page.open(path)
        assert findings(page) == [], path


def test_no_page_is_wider_than_a_telephone(page: Chromium, consoles: Open) -> None:
    console = busy(consoles)
    page.size(*NARROW)
    page.visit(console).open("/login")
    assert page.script(WIDER) == []
    page.login(console)
    page.forgive("status of 404")
    for path in PAGES:
        page.open(path)
        page.shows("Live", "#live")
        assert page.script(WIDER) == [], path


def test_pages_read_and_forms_work_without_scripts(page: Chromium, consoles: Open) -> None:
    console = busy(consoles)
    page.cdp("Emulation.setScriptExecutionDisabled", value=True)
    page.login(console)
    page.forgive("status of 404")
    for path in PAGES:
        page.open(path)
        page.shows("scripts are off", "footer")
        assert page.text("h1"), path
    page.open("/watchers/web/logs")
    page.shows("GET / 200", "#log")
    page.open("/watchers/web")
    page.button("Add a process")
    page.until(lambda: page.count("table.workers tbody tr") == 3)
    page.button("Stop")

    def stopped() -> bool:
        page.open("/watchers/web")
        return "Start" in page.text(".actions")

    page.until(stopped)
    page.open("/?sort=-name&show=trouble")
    page.shows("report", "table.watchers")
    page.click("tr[data-name=report] .pick input")
    page.click("[data-bulk=Stop]")
    page.shows("report", "#messages")
    page.open("/")
    page.shows("stopped", "tr[data-name=report] .state-cell")
    page.open("/plan")
    page.click("main form.actions button")
    page.shows("Nothing to do")
    assert "more" in console.daemon.call("list")["watchers"]
    page.click("form[action='/logout'] button")
    page.until(lambda: page.path.startswith("/login"))
