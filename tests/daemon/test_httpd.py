"""The web console that circusd runs itself."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.daemon.test_stats import stop_and_start, used_by
from tests.support import alive, free_port, needs_root, wait_until
from tests.web.console import Browser

if TYPE_CHECKING:
    from pathlib import Path

    from tests.daemon.conftest import Start
    from tests.support import Daemon

NAME = "circushttpd"
AS_US = "" if os.geteuid() else "httpd_user = root\n"
"""Where root is circusd, root runs the console, too: Python may be where only root can look."""


def embedded(circusd: Start, options: str = "", watchers: str = "") -> tuple[Daemon, Browser]:
    """A circusd with a console, and somebody who has logged in to that."""
    browser = Browser(free_port())
    circus = f"[circus]\nhttpd = True\nhttpd_port = {browser.port}\n{AS_US}{options}"
    daemon = circusd(f"{circus}[watcher:w]\ncmd = sleep 3600\nnumprocesses = 5\n{watchers}")
    link = daemon.json("console-login")["link"]
    assert link.startswith(f"{browser.origin}/login?ticket=")
    browser.enter(link.partition("ticket=")[2])  # the socket is there before the console
    return daemon, browser


def test_it_is_a_watcher_on_a_socket(circusd: Start) -> None:
    daemon, browser = embedded(circusd)
    (pid,) = daemon.wait_pids(NAME, 1)
    assert daemon.json("status")["statuses"] == {NAME: "active", "w": "active"}
    (sock,) = daemon.call("listsockets")["sockets"]
    assert (sock["name"], sock["host"], sock["port"]) == (NAME, "127.0.0.1", browser.port)
    options = daemon.call("get", name=NAME, keys=["singleton", "no_new_privileges", "args"])
    found = options["options"]
    assert (found["singleton"], found["no_new_privileges"]) == (True, True)
    assert ">w<" in browser.get("/").text
    os.kill(pid, 9)
    wait_until(lambda: daemon.pids(NAME) not in ([], [pid]))
    assert browser.get("/login").status == 200  # who came meanwhile has waited


def test_t18_a_reload_leaves_the_console_alone(circusd: Start) -> None:
    daemon, browser = embedded(circusd)
    before, text = daemon.wait_pids(NAME, 1), daemon.config.read_text()
    for _ in range(2):
        assert daemon.call("reloadconfig", waiting=True)["steps"] == []
    for number in (3, 4):  # others change, come and go
        more = f"[watcher:w{number}]\ncmd = sleep 3600\n[env:w]\nA = {number}\n"
        daemon.write(f"{text}{more}[socket:s{number}]\nhost = 127.0.0.1\nport = 0\n")
        assert daemon.call("reloadconfig", waiting=True)["status"] == "ok"
        daemon.wait_pids(f"w{number}", 1)
    assert daemon.pids(NAME) == before
    wait_until(lambda: "w4" in browser.get("/api/v1/state").json["watchers"])


def test_t30_a_storm_of_starts_leaves_no_console_that_spins(circusd: Start) -> None:
    """The last starts cost what the first did, while somebody looks; afterwards all is at rest."""
    daemon, browser = embedded(circusd, "statsd = True\n")
    helpers = [*daemon.wait_pids(NAME, 1), *daemon.wait_pids("circusd-stats", 1)]
    pids = [daemon.process.pid, *helpers]

    def storm() -> None:
        stop_and_start(daemon, 10)
        assert browser.get("/api/v1/state").status == 200

    first, *_, last = [used_by(pids, storm) for _ in range(5)]
    assert last <= 10 + 2 * first
    # who spins uses a hundred ticks in a second, or as many as it can get
    rest = partial(subprocess.run, ["sleep", "1"], check=True)
    assert used_by(pids, rest) <= 25
    assert daemon.pids(NAME) == helpers[:1]


def test_its_output_goes_nowhere_if_that_is_asked_for(circusd: Start) -> None:
    daemon, _ = embedded(circusd, "httpd_close_outputs = True\n")
    assert "Listening on" not in daemon.text()


def test_its_output_is_shown_when_circusd_debugs(circusd: Start) -> None:
    daemon, browser = embedded(circusd, "debug = True\nhttpd_close_outputs = True\n")
    wait_until(lambda: f"Listening on {browser.origin}/" in daemon.text())


@needs_root
def test_its_user_is_one_that_there_is(circusd: Start) -> None:
    """circusd goes on without."""
    daemon = circusd(f"[circus]\nhttpd = True\nhttpd_port = {free_port()}\nhttpd_user = daemon\n")
    assert "The web console (httpd): it runs as daemon, who may do nothing here; " in daemon.text()
    assert daemon.call("get", name=NAME, keys=["uid"])["options"] == {"uid": "daemon"}
    daemon.write(daemon.config.read_text().replace("= daemon", "= no_such_user"))
    found = daemon.ctl("--check", str(daemon.config))
    assert found.returncode != 0


@pytest.mark.parametrize("kind", ["watcher", "socket"])
def test_its_name_is_nobody_elses(kind: str, tmp_path: Path) -> None:
    section = f"[{kind}:CircusHttpd]\n" + ("cmd = sleep 1\n" if kind == "watcher" else "port = 0\n")
    config = tmp_path / "circus.ini"
    config.write_text(f"[circus]\nhttpd = True\n{section}")
    found = subprocess.run(
        [sys.executable, "-m", "circus.circusd", "--check", str(config)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    say = f"circusd has a {kind} of this name itself: rename this one, or set httpd = False"
    assert found.returncode == 78
    assert f"circus.ini:3: {say}" in found.stderr


NO_WAITRESS = """
import sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, *more):
        return None if name == "waitress" else super().find_spec(name, *more)

sys.meta_path[:] = [Finder if one is PathFinder else one for one in sys.meta_path]
"""


def test_without_what_it_needs_circusd_says_so_and_goes_on(
    circusd: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(NO_WAITRESS)
    path = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    circus = f"[circus]\nhttpd = True\nhttpd_port = {free_port()}\n{AS_US}"
    daemon = circusd(f"{circus}[watcher:w]\ncmd = sleep 3600\n")
    daemon.wait_pids("w", 1)
    say = "there is no Python module waitress; install the Debian package circus-console, or pip"
    assert f"The web console (httpd): {say}" in daemon.text()
    wait_until(lambda: "circushttpd: there is no Python module waitress;" in daemon.text())


HELPERS = (NAME, "circusd-stats", "plugin:watch")
ALL_HELPERS = "statsd = True\n[plugin:watch]\nuse = circus.plugins.watchdog.WatchDog\n"


def test_what_circusd_runs_beside_itself_may_be_told_to_end_again_and_again(
    circusd: Start,
) -> None:
    daemon, _browser = embedded(circusd, options=ALL_HELPERS)
    for name in HELPERS:
        (pid,) = daemon.wait_pids(name, 1)
        wait_until(partial(running, daemon, name))
        with contextlib.suppress(ProcessLookupError):
            while alive(pid):
                os.kill(pid, signal.SIGTERM)
    assert "Exception ignored" not in daemon.text()


def running(daemon: Daemon, name: str) -> bool:
    """Whether it has come so far that it handles signals."""
    said = {NAME: "Listening on", "circusd-stats": "Statistics are at", "plugin:watch": "Starting"}
    return said[name] in daemon.text()


def test_what_circusd_runs_beside_itself_ends_with_it(circusd: Start) -> None:
    daemon, _browser = embedded(
        circusd, watchers="parent_death_signal = KILL\n", options=ALL_HELPERS
    )
    helpers = [pid for name in HELPERS for pid in daemon.wait_pids(name, 1)]
    daemon.process.kill()
    daemon.process.wait(20)
    wait_until(lambda: not any(map(alive, helpers)))
    daemon.begin()  # nobody has its sockets any more
    daemon.wait()
    for name in HELPERS:
        daemon.wait_pids(name, 1)
