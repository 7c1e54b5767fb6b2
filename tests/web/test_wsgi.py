"""`circus.web.circushttpd.app` in other servers, each a watcher on a socket of circusd."""

from __future__ import annotations

import contextlib
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import Daemon, only_if, wait_until
from tests.web.console import Browser
from tests.web.follow import follow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BIN = Path(sys.executable).parent
CONFIG = """
[watcher:webconsole]
cmd = {program} {arguments}
singleton = 1
use_sockets = 1
copy_env = True

[socket:webconsole]
host = 127.0.0.1
port = 0

[env:webconsole]
CIRCUS_CONSOLE = FOLDER/console.ini
CIRCUSCTL_ENDPOINT = ipc://FOLDER/control

[watcher:off]
cmd = sleep 3600
autostart = False
"""
CHAUSSETTE = "--fd $(circus.sockets.webconsole) circus.web.circushttpd.app"
GUNICORN = "circus.web.circushttpd:app"
"""It takes what is handed over as by systemd."""

HAS_CHAUSSETTE = only_if(shutil.which("chaussette", path=str(BIN)) is not None, "no chaussette")


@pytest.fixture
def served() -> Iterator[Callable[[str, str], Browser]]:
    """Starts a circusd with such a server, and logs somebody in there."""
    with contextlib.ExitStack() as ended:

        def start(program: str, arguments: str) -> Browser:
            daemon = Daemon(CONFIG.format(program=BIN / program, arguments=arguments))
            ended.callback(daemon.stop)
            (daemon.folder / "state").mkdir()
            config = daemon.folder / "console.ini"
            config.write_text(f"[console]\nstate_dir = {daemon.folder}/state\n")
            (sock,) = daemon.wait().call("listsockets")["sockets"]
            browser = Browser(sock["port"])
            browser.enter(str(daemon.call("console-login")["ticket"]))
            return browser

        yield start


def works(browser: Browser) -> None:
    """What needs no stream."""
    assert browser.post("/watchers/off/start").status == 303
    wait_until(lambda: state(browser) == "active")  # each process learns it for itself
    wait_until(lambda: ">webconsole<" in browser.get("/").text)


def state(browser: Browser) -> str:
    """Of the watcher `off`, as far as who answers knows it by now."""
    found: dict[str, str] = browser.get("/api/v1/state").json["watchers"].get("off", {})
    return found.get("state", "")


@HAS_CHAUSSETTE
def test_the_watcher_of_the_seed_which_has_one_thread(
    served: Callable[[str, str], Browser],
) -> None:
    """No stream, which would keep it from all else: browsers ask now and then."""
    browser = served("chaussette", CHAUSSETTE)
    works(browser)
    answer = browser.get("/live")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")


def test_one_with_several_processes(served: Callable[[str, str], Browser]) -> None:
    """They share who is logged in."""
    browser = served("gunicorn", f"--workers 3 {GUNICORN}")
    works(browser)
    assert {browser.get("/api/v1/state").status for _ in range(12)} == {200}
    assert browser.get("/live").status == 503


def test_one_with_threads_has_streams(served: Callable[[str, str], Browser]) -> None:
    browser = served("gunicorn", f"--threads 8 {GUNICORN}")
    with follow(browser) as stream:
        works(browser)
        stream.until(lambda: stream.watcher("off").get("state") == "active")
