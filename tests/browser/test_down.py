"""circusd, the console or the session goes away under an open page."""

from __future__ import annotations

import re
import signal

from tests.browser.chromium import Chromium
from tests.browser.pages import end
from tests.support import wait_until
from tests.web.conftest import Open
from tests.web.console import Console

AWAY = ("status of 401", "status of 503", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED")


def streams(console: Console) -> int:
    """How many browsers are told of changes now."""
    found = re.search(r"^circus_console_streams (\d+)", console.get("/metrics").text, re.MULTILINE)
    assert found
    return int(found[1])


def test_circusd_goes_and_comes_back(page: Chromium, console: Console) -> None:
    page.login(console)
    page.shows("Live", "#live")
    page.script("window.loaded = 1")
    page.forgive(*AWAY)
    end(console.daemon)
    page.shows("Stale since", "#live")
    assert page.there("#stale")
    page.shows("circusd does not answer", "#daemons")
    page.shows("of 2", "tr[data-name=web]")  # the last that was heard
    page.click("tr[data-name=off] button.state")
    page.shows(console.daemon.endpoint, "#messages")
    console.daemon.begin()
    page.shows("Live", "#live")
    page.until(lambda: not page.there("#stale"))
    page.shows("2 of 2", "tr[data-name=web]")
    assert page.script("return window.loaded") == 1


def test_circusd_hangs_and_goes_on(page: Chromium, console: Console) -> None:
    page.login(console)
    page.shows("Live", "#live")
    page.forgive(*AWAY)
    console.daemon.process.send_signal(signal.SIGSTOP)
    try:
        page.shows("Stale since", "#live")
        page.shows("2 of 2", "tr[data-name=web]")
    finally:
        console.daemon.process.send_signal(signal.SIGCONT)
    page.shows("Live", "#live")


def test_a_page_that_could_not_be_made_comes_by_itself(page: Chromium, console: Console) -> None:
    page.login(console)
    page.shows("Live", "#live")
    page.forgive(*AWAY)
    end(console.daemon)
    page.open("/watchers/web")
    page.shows("systemctl start circusd", "main")
    console.daemon.begin()
    page.shows("Workers of web", "main")


def test_the_console_is_restarted_under_an_open_page(page: Chromium, console: Console) -> None:
    page.login(console)
    page.shows("Live", "#live")
    page.script("window.loaded = 1")
    page.forgive(*AWAY)
    console.stop()
    page.shows("The console does not answer", "#stale")
    page.shows("Stale since", "#live")
    console.begin()
    page.shows("Live", "#live")
    page.click("tr[data-name=off] button.state")
    page.shows("active", "tr[data-name=off] .state-cell")
    assert page.script("return window.loaded") == 1


def test_a_page_says_when_its_login_is_over(page: Chromium, console: Console) -> None:
    page.login(console)
    page.shows("Live", "#live")
    page.forgive(*AWAY)
    first = page.tab
    page.another_tab()
    page.open("/connect")
    page.click("form[action='/logout'] button")
    page.until(lambda: page.path.startswith("/login"))
    page.to_tab(first)
    page.shows("You are not logged in any more", "#stale")
    page.click("tr[data-name=off] button.state")
    page.until(lambda: page.path == "/login?next=%2F")
    assert console.daemon.pids("off") == []


def test_ten_tabs_have_one_stream(page: Chromium, consoles: Open) -> None:
    console = consoles("metrics_open = True")
    page.login(console)
    tabs = [page.tab]
    for _ in range(9):
        tabs.append(page.another_tab())
        page.open("/")
    for tab in tabs:
        page.to_tab(tab)
        page.shows("Live", "#live")
    assert streams(console) == 1
    console.daemon.call("incr", name="web")
    for tab in tabs:
        page.to_tab(tab)
        page.shows("3 of 3", "tr[data-name=web]")
    # whoever reads for all goes, and another tab goes on
    for tab in tabs[:5]:
        page.to_tab(tab)
        page.driver.close()
    page.to_tab(tabs[5])
    console.daemon.call("decr", name="web")
    for tab in tabs[5:]:
        page.to_tab(tab)
        page.shows("Live", "#live")
        page.shows("2 of 2", "tr[data-name=web]")
    wait_until(lambda: streams(console) == 1)
