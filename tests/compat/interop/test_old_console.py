"""The console before a circusd 0.19.0: it shows less, and goes on."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from circus.web.controller import Controller
from circus.web.feed import Feed
from tests.compat.interop.peer import SOCKET, WATCHERS, Old, OldDaemon
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circus.web.state import WatcherState


@pytest.fixture(params=["", "statsd = True\n"], ids=["asked", "published"])
def daemon(old: Old, request: pytest.FixtureRequest) -> Iterator[OldDaemon]:
    started = OldDaemon(old, f"check_delay = 0.2\n{request.param}{WATCHERS}{SOCKET}")
    try:
        started.wait()
        yield started
    finally:
        started.stop()


@pytest.fixture
def feed(daemon: OldDaemon) -> Iterator[Feed]:
    controller = Controller(daemon.endpoint)
    made = Feed(controller)
    yield made
    made.close()
    controller.close()


def web(feed: Feed) -> WatcherState | None:
    """What is known of the watcher with two workers, once they run and what they use is known."""
    found = feed.state().watchers.get("Web")
    return found if found and found.rss and found.state == "active" else None


def test_what_it_tells_is_shown(daemon: OldDaemon, feed: Feed) -> None:
    wait_until(lambda: web(feed) and feed.state().daemon.pid == daemon.process.pid)
    state = feed.state()
    assert state.live
    assert state.watchers["Web"].ready is None
    assert state.watchers["off"].state == "stopped"
    assert state.daemon.version == ""
    assert list(state.sockets) == ["web"]


def test_an_event_of_it_is_passed_on(old: Old, daemon: OldDaemon, feed: Feed) -> None:
    wait_until(lambda: web(feed))
    pid = int(old.ctl(daemon.endpoint).done("list Web").split(",")[0])
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: b"watcher.web.reap" in feed.board.after(0).text)
