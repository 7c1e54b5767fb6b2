"""The thread that learns what circusd runs, by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from circus.web.controller import Controller
from circus.web.feed import Feed
from tests.daemon.conftest import circusd as circusd
from tests.support import Daemon, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.daemon.conftest import Start

    Fed = Callable[[str], Feed]

CONFIG = "[watcher:{}]\ncmd = sleep 3600\n"


@pytest.fixture
def fed() -> Iterator[Fed]:
    """Makes feeds of circusds, and ends them with the test."""
    made: list[tuple[Feed, Controller]] = []

    def make(endpoint: str) -> Feed:
        controller = Controller(endpoint)
        made.append((Feed(controller), controller))
        return made[-1][0]

    yield make
    for feed, controller in made:
        feed.close()
        controller.close()


def names(feed: Feed) -> list[str]:
    """Of the watchers, if it is known that they are there."""
    state = feed.state()
    return sorted(state.watchers) if state.live else []


def test_nothing_happens_before_somebody_looks(fed: Fed) -> None:
    state = fed("ipc:///nowhere/x").board.state
    assert (state.live, state.reason, state.since) == (
        False,
        "circusd has not been asked yet",
        None,
    )


def test_another_circusd_takes_the_place_of_the_first(circusd: Start, fed: Fed) -> None:
    feed = fed(circusd(CONFIG.format("one")).endpoint)
    wait_until(lambda: names(feed) == ["one"])
    second = Daemon(CONFIG.format("two"))
    try:
        feed.connect(second.wait().endpoint)
        assert names(feed) in ([], ["two"])
        wait_until(lambda: names(feed) == ["two"])
        assert feed.state().endpoint == second.endpoint
    finally:
        second.stop()


def test_a_watcher_that_comes_and_goes_is_told_at_once(circusd: Start, fed: Fed) -> None:
    daemon = circusd(CONFIG.format("one"))
    feed = fed(daemon.endpoint)
    wait_until(lambda: names(feed) == ["one"])
    daemon.call("add", name="two", cmd="sleep 3600", start=True, waiting=True)
    wait_until(lambda: names(feed) == ["one", "two"])
    daemon.call("rm", name="one", waiting=True)
    wait_until(lambda: names(feed) == ["two"])


def test_it_ends_at_once(circusd: Start, fed: Fed) -> None:
    feed = fed(circusd(CONFIG.format("one")).endpoint)
    wait_until(lambda: names(feed) == ["one"])
    feed.close()
    assert feed.board.closed
    assert feed.state().live  # the last that was known
