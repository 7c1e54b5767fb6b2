"""circus-top and StatsClient of circus 0.19.0 show what our circusd-stats publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from circus.reach import unreachable
from tests.compat.interop.peer import SOCKET, WATCHERS
from tests.support import Daemon, wait_until
from tests.tmux import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.compat.interop.peer import Old


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    started = Daemon(f"[circus]\nstats_endpoint = ipc://FOLDER/stats\n{WATCHERS}{SOCKET}")
    try:
        started.wait().wait_pids("Web", 2)
        wait_until(lambda: unreachable(f"ipc://{started.folder}/stats") is None)
        yield started
    finally:
        started.stop()


def test_its_client_reads_them(old: Old, daemon: Daemon) -> None:
    pids = [str(pid) for pid in daemon.pids("Web")]
    found: dict[tuple[str, str | None], Any] = {}
    with old.script("stats.py", f"ipc://{daemon.folder}/stats") as client:
        while not found.keys() >= {("web", pids[0]), ("web", pids[1]), ("sockets", None)}:
            watcher, subtopic, message = client.hear()
            found[watcher, subtopic] = message
    assert found["web", pids[0]]["pid"] == int(pids[0])
    assert found["web", None]["pid"] == [int(pid) for pid in pids]
    assert found["sockets", None]["reads"] == 0


def test_its_top_shows_them(old: Old, daemon: Daemon) -> None:
    (one,) = daemon.pids("one")
    top = str(old.programs / "circus-top")
    at = f"ipc://{daemon.folder}/stats"
    with Screen(top, "--endpoint", at, height=50, environ=old.env) as screen:
        shown = screen.shows("(circusd-stats)", "(circusd)", "sockets", "ADDRESS", "web", str(one))
        assert "127.0.0.1:" in shown
        for pid in daemon.pids("Web"):
            assert str(pid) in shown
        screen.type("C-c")
