"""The whole console without a mouse."""

from __future__ import annotations

from selenium.webdriver.common.keys import Keys

from tests.browser.chromium import Chromium
from tests.browser.pages import PAGES, busy
from tests.support import wait_until
from tests.web.conftest import Open
from tests.web.console import Console

WALK = """
window.places ||= new Map();
const one = document.activeElement;
if (one === document.body) return ["", true];
const told = one.outerHTML.slice(0, 120);
const style = getComputedStyle(one), box = one.getBoundingClientRect();
const seen = style.outlineStyle !== "none" && style.outlineWidth !== "0px" && box.width > 0;
window.places.set(one, told);
return [told, seen];
"""
MISSED = """
const ways = "a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex^='-'])";
const visible = (one) => one.checkVisibility({visibilityProperty: true});
return [...document.querySelectorAll(ways)].filter((one) =>
    visible(one) && !one.disabled && one.type !== "hidden" && !window.places.has(one)
).map((one) => one.outerHTML.slice(0, 120));
"""
MANY = 200


def walk(page: Chromium) -> None:
    """Tab until everything had the focus, and then nothing."""
    told = ""
    for _ in range(MANY):
        page.press(Keys.TAB)
        told, seen = page.script(WALK)
        assert seen, f"{page.path}: focus cannot be seen at {told}"
        if not told and page.script(MISSED) == []:
            return
    raise AssertionError(f"{page.path}: no way to {page.script(MISSED)}, or out of {told}")


def test_tab_reaches_everything_and_gets_out(page: Chromium, consoles: Open) -> None:
    console = busy(consoles)
    page.visit(console).open("/login")
    walk(page)
    page.login(console)
    page.forgive("status of 404")
    for path in PAGES:
        page.open(path)
        page.shows("Live", "#live")
        walk(page)


def test_keys_do_everything_on_the_overview(page: Chromium, console: Console) -> None:
    page.login(console)
    page.shows("Live", "#live")
    page.press("?")
    page.until(lambda: page.there("#keys-help"))
    page.press(Keys.ESCAPE)
    page.until(lambda: not page.there("#keys-help"))
    page.press("j")
    page.until(lambda: focus(page) == "off")
    page.press("s")
    page.shows("active", "tr[data-name=off] .state-cell")
    page.press("j", "x")
    page.shows("1 watcher selected", "#selected")
    page.until(lambda: "select=web" in page.path)
    page.press("s")
    page.shows("Stop web?", "#ask")
    page.press(Keys.ENTER)
    page.shows("stopped", "tr[data-name=web] .state-cell")
    page.press("s")
    before = console.daemon.wait_pids("web", 2)
    page.press("r")
    wait_until(lambda: not set(before) & set(console.daemon.wait_pids("web", 2)))
    page.press("/", "of", Keys.ESCAPE, Keys.ESCAPE, "j", Keys.ENTER)
    page.until(lambda: page.path == "/watchers/off")


def focus(page: Chromium) -> str:
    """The row that has it."""
    return str(page.script("return document.activeElement.closest('tr')?.dataset.name || ''"))


def test_keys_lead_to_every_place(page: Chromium, console: Console) -> None:
    page.login(console)
    for keys, path in (("go", "/sockets"), ("ge", "/events"), ("gp", "/plan"), ("gw", "/")):
        page.shows("Live", "#live")
        page.press(*keys)
        page.until(lambda path=path: page.path == path)
    page.shows("Live", "#live")
    page.press("j", "l")
    page.until(lambda: page.path == "/watchers/off/logs")


def test_single_keys_can_be_switched_off(page: Chromium, console: Console) -> None:
    page.login(console)
    page.shows("Live", "#live")
    page.press("?")
    page.click("#keys-on")
    page.press(Keys.ESCAPE)
    page.press("?", "g", "o")
    assert not page.there("#keys-help")
    page.open("/sockets")
    page.shows("Live", "#live")
    page.press("?")
    assert not page.there("#keys-help")
    page.click("#keys")
    page.until(lambda: page.there("#keys-help"))


def test_a_worker_is_killed_and_a_log_paused_by_keyboard(page: Chromium, consoles: Open) -> None:
    console = busy(consoles)
    page.login(console, path="/watchers/web")
    page.shows("Live", "#live")
    before = console.daemon.wait_pids("web", 2)
    page.press("j", Keys.ENTER)
    page.shows("all that it started", "#ask")
    page.press(Keys.ENTER)
    wait_until(lambda: len({*before, *console.daemon.pids("web")}) == 3)
    page.press("l")
    page.until(lambda: page.path == "/watchers/web/logs")
    page.shows("Pause", "#pause")
    page.press("p")
    page.shows("Go on", "#pause")
