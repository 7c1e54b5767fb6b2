"""The plugin that our tests run as one written for circus 0.19 is one: that version runs it too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import Daemon, wait_until

if TYPE_CHECKING:
    from tests.compat.interop.peer import Old

WRITTEN = Path(__file__).parents[2] / "plugins" / "written"


def test_circus_plugin_of_0_19_runs_it_with_our_circusd(old: Old) -> None:
    daemon = Daemon(
        f"[watcher:old]\ncmd = {old.programs}/circus-plugin --endpoint ipc://FOLDER/control "
        "--pubsub ipc://FOLDER/pubsub --config file:FOLDER/written periodic.Periodic\n"
        f"[env:old]\nPYTHONPATH = {WRITTEN}\n"
    )
    try:
        daemon.wait()
        expected = {"callback", "timeout", "watchers 1"}
        wait_until(lambda: set(daemon.file("written").splitlines()) == expected)
    finally:
        daemon.stop()
