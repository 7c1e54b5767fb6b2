"""A thousand workers on one page; how long that takes, benchmarks/console_browser.py tells."""

from __future__ import annotations

import os
import signal

from benchmarks.console import config, ready
from tests.browser.chromium import Chromium
from tests.support import wait_until
from tests.web.conftest import Open

WORKERS, WATCHERS = 1000, 250


def test_a_thousand_workers_are_shown_and_followed(page: Chromium, consoles: Open) -> None:
    console = consoles(watchers=config(WORKERS, WATCHERS))
    wait_until(lambda: ready(console.daemon) == WORKERS, within=60)
    page.login(console)
    page.shows("Live", "#live")
    page.until(lambda: page.text("[data-count=active]") == str(WATCHERS + 1))  # and circusd-stats
    assert page.count("#watchers tbody tr") == WATCHERS + 1
    last = f"tr[data-name=w{WATCHERS - 1}]"
    assert "4 of 4" in page.content(last)
    os.kill(console.daemon.pids(f"w{WATCHERS - 1}")[0], signal.SIGKILL)
    page.until(lambda: page.content(f"{last} .restarts") == "1")
    page.fill("#filter", f"w{WATCHERS - 1}")
    page.until(lambda: page.count("#watchers tbody tr:not([hidden])") == 1)
    page.click(f"{last} .name a")
    page.shows("4 of 4", ".facts")
