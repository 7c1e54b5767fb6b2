"""Events in a real browser."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from tests.browser.conftest import chromium as chromium
from tests.support import free_port

if TYPE_CHECKING:
    from tests.browser.chromium import Chromium
    from tests.examples.conftest import Run


def test_a_page_shows_how_a_worker_ends_and_another_starts(
    example: Run, chromium: Chromium
) -> None:
    port = free_port()
    daemon = example("browser/circus.ini", {"port = 8080": f"port = {port}"})
    daemon.wait_pids("sleeper", 3)
    chromium.clear()
    chromium.driver.get(f"http://127.0.0.1:{port}/")
    chromium.shows("Listening.", "#state")
    with daemon.restarting("sleeper"):  # until it has subscribed, it does not hear of it
        chromium.shows("watcher.sleeper.", "#events")
    victim = daemon.wait_pids("sleeper", 3)[0]
    os.kill(victim, signal.SIGKILL)
    chromium.until(lambda: f'"process_pid": {victim}, "exit_code": -9' in chromium.text("#events"))
    chromium.shows('watcher.sleeper.spawn {"time": ', "#events li:first-child")
    assert chromium.complaints() == []
    chromium.clear()
