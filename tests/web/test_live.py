"""What browsers are told as it happens, by a real console of a real circusd."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

import pytest

from circus import __version__
from tests.web.follow import follow, open_stream

if TYPE_CHECKING:
    from tests.web.conftest import Open
    from tests.web.console import Console

WEB = """
[watcher:web]
cmd = sleep 3600
numprocesses = 2
group = front
"""
WITH_STATISTICS = f"[circus]\nstatsd = True\n{WEB}"


@pytest.mark.parametrize("config", [WEB, WITH_STATISTICS], ids=["asked", "published"])
def test_everything_that_runs_is_told(consoles: Open, config: str) -> None:
    console = consoles(watchers=config).login("read")
    daemon = console.daemon
    with follow(console) as told:
        told.until(lambda: told.watcher("web").get("ready") == 2)
        told.until(lambda: told.watcher("web").get("rss", 0) > 0)
        told.until(lambda: told.state.get("daemon", {}).get("pid") == daemon.process.pid)
        assert told.state["live"]
        assert told.state["daemon"]["version"] == __version__
        assert told.watcher("web")["group"] == "front"
        assert console.get("/api/v1/state").json["watchers"]["web"]["total"] == 2
        told.until(lambda: console.get("/api/v1/history?watcher=web&span=600").json["rss"])
        assert console.get("/api/v1/history").json["step"] == 4


def test_a_killed_worker_is_seen_to_come_back(console: Console) -> None:
    daemon = console.login("read").daemon
    first = daemon.wait_pids("web", 2)[0]
    with follow(console) as told:
        told.until(lambda: told.watcher("web").get("ready") == 2)
        os.kill(first, signal.SIGKILL)
        told.until(lambda: told.watcher("web")["restarts"] == 1)
        told.until(lambda: told.watcher("web")["ready"] == 2)
        assert "watcher.web.reap" in told.happened


def test_who_comes_back_is_told_what_was_missed(console: Console) -> None:
    daemon = console.login().daemon
    with follow(console) as told:
        told.until(lambda: told.watcher("web").get("ready") == 2)
    daemon.call("incr", name="web", waiting=True)
    with follow(console, last=told.last, known=told.state) as again:
        again.until(lambda: again.watcher("web")["ready"] == 3)
        assert again.snapshots == 0
    with follow(console, last="of-another-console") as anew:
        anew.until(lambda: anew.watcher("web").get("ready") == 3)
        assert anew.snapshots == 1


def test_a_circusd_that_is_gone_is_told_and_one_that_comes(console: Console) -> None:
    """The one that comes back is another instance, with other watchers."""
    daemon = console.login("read").daemon
    with follow(console) as told:
        told.until(lambda: told.watcher("web").get("ready") == 2)
        workers = daemon.wait_pids("web", 2)
        daemon.process.kill()
        daemon.process.wait()
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        told.until(lambda: not told.state["live"])
        assert told.state["reason"] == f"No circusd listens at {daemon.endpoint}; is it running?"
        assert told.watcher("web")["total"] == 2
        daemon.write("[watcher:app]\ncmd = sleep 3600\n")
        daemon.begin()
        told.until(lambda: told.state.get("live") and told.watcher("app").get("ready") == 1)
        assert list(told.state["watchers"]) == ["app"]


def test_a_circusd_that_does_not_answer_is_told(console: Console) -> None:
    daemon = console.login("read").daemon
    with follow(console) as told:
        told.until(lambda: told.watcher("web").get("ready") == 2)
        os.kill(daemon.process.pid, signal.SIGSTOP)
        try:
            told.until(lambda: not told.state["live"])
            assert told.state["reason"] == "circusd does not answer in time"
        finally:
            os.kill(daemon.process.pid, signal.SIGCONT)
        told.until(lambda: told.state["live"])


def test_a_console_that_begins_without_circusd_finds_it_later(console: Console) -> None:
    daemon = console.login("read").daemon
    console.stop()
    daemon.process.send_signal(signal.SIGTERM)
    daemon.process.wait()
    console.begin()
    with follow(console) as told:
        told.until(lambda: "No circusd listens" in told.state.get("reason", ""))
        daemon.begin()
        told.until(lambda: told.state["live"] and told.watcher("web").get("ready") == 2)


def test_streams_are_few_and_of_one_reader_fewer(console: Console) -> None:
    """The newest takes the place of the oldest, which is told not to come back at once."""
    console.login("read")
    readers = [follow(console) for _ in range(6)]
    for reader in readers[2:]:
        reader.until(lambda: bool(reader.state))  # noqa: B023 called at once
    for reader in readers[:2]:
        reader.to_the_end()
        assert reader.crowded
    for reader in readers:
        reader.close()


def test_t53_who_never_reads_holds_up_nobody(console: Console) -> None:
    """A thousand streams are opened and never read: others get their pages, and a stream."""
    console.login("read")
    with contextlib.ExitStack() as idle:
        for _ in range(1000):
            idle.enter_context(open_stream(console))
        assert console.get("/api/v1/state").json["live"]
        console.login("read")
        with follow(console) as told:
            told.until(lambda: told.watcher("web").get("ready") == 2)
            assert console.get("/").status == 200


def test_t53_who_has_no_session_gets_no_stream(console: Console) -> None:
    for path in ("/live", "/api/v1/state", "/api/v1/history"):
        assert console.get(path).status == 401


def test_the_end_of_the_console_is_the_end_of_its_streams(console: Console) -> None:
    console.login("read")
    with follow(console) as told:
        told.until(lambda: bool(told.state))
        assert console.stop() in (0, -signal.SIGTERM)
        told.to_the_end()
