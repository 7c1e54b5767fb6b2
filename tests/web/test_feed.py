"""The thread that learns what circusd runs, by itself."""

from __future__ import annotations

import contextlib
import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
import zmq

from circus.web.controller import Controller
from circus.web.feed import Feed
from tests.daemon.conftest import circusd as circusd
from tests.standin import Standin
from tests.support import Daemon, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

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


@contextlib.contextmanager
def standin(folder: Path, answers: Mapping[str, Any]) -> Iterator[tuple[str, zmq.Socket[bytes]]]:
    """Somebody else: an endpoint that answers so, and where it publishes whatever a test sends."""
    found = {"globaloptions": {"options": {"pubsub_endpoint": f"ipc://{folder}/events"}}, **answers}

    def answer(asked: dict[str, Any]) -> bytes:
        return json.dumps(
            {"id": asked["id"], "status": "ok", **found.get(asked["command"], {})}
        ).encode()

    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    with context, context.socket(zmq.PUB) as pub, Standin(folder / "control", answer) as circusd:
        pub.linger = 0
        pub.bind(f"ipc://{folder}/events")
        yield circusd.endpoint, pub


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


def test_who_answers_and_is_no_circusd_is_told(fed: Fed, tmp_path: Path) -> None:
    with standin(tmp_path, {"why": {"watchers": 7}}) as (endpoint, _):
        feed = fed(endpoint)
        wait_until(lambda: "what answers is no circusd, or an old one: " in feed.state().reason)
        assert not feed.state().live


def test_events_that_nobody_can_read_keep_no_others_away(fed: Fed, tmp_path: Path) -> None:
    answers = {
        "why": {"watchers": []},
        "listsockets": {"sockets": []},
        "stats": {"infos": {}},
        "dstats": {"info": {"pid": os.getpid()}},
    }
    with standin(tmp_path, answers) as (endpoint, pub):
        feed = fed(endpoint)
        wait_until(lambda: feed.state().live)
        first = feed.board.number(feed.state().id)

        def told() -> bytes:
            for text in (b"no JSON", b"[]", b"{}", b'{"time": 1.0}'):
                pub.send_multipart([b"watcher.web.spawn", text])
            return feed.board.after(first).text

        wait_until(lambda: b"event: happened" in told())
        messages = re.findall(rb'"topic": "watcher.web.spawn", "message": (.*?), "at"', told())
        assert set(messages) == {b'{"time": 1.0}'}
        assert feed.state().live
