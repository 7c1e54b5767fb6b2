"""What counts as flapping, and what is done about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from circus.plugins.flapping import Flapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circus.client import Reply


class Watched(Flapping):
    """One that has nobody to talk to: what it would say is kept, what it asks is made up."""

    def __init__(self, **config: str) -> None:
        super().__init__("ipc://x", "ipc://y", 5.0, **config)
        self.said: list[tuple[str, str]] = []
        self.ready: list[int] = []
        self.own: dict[str, str] = {}

    def call(self, command: str, **props: Any) -> Reply:
        if command == "options":
            return {"options": {f"flapping.{key}": value for key, value in self.own.items()}}
        if command == "start":
            self.said.append((command, props["name"]))
            return {}
        assert command == "why"
        slots = [{"wid": wid, "state": "ready"} for wid in self.ready]
        return {"watchers": [{"slots": slots}]}

    def cast(self, command: str, **props: Any) -> None:
        self.said.append((command, props["name"]))

    def hear(self, action: str, name: str = "w", **message: object) -> None:
        self.handle_recv([f"watcher.{name}.{action}".encode(), json.dumps(message).encode()])


@pytest.fixture
def flapping() -> Iterator[Watched]:
    found = Watched(window="60", max_retry="1")
    yield found
    found.loop.close()


def test_two_ends_of_one_slot_are_too_many(flapping: Watched) -> None:
    flapping.hear("reap", wid=1, process_pid=11)
    flapping.hear("reap", wid=2, process_pid=12)
    assert flapping.said == []
    flapping.hear("reap", wid=1, process_pid=13)
    assert flapping.said == [("stop", "w")]


def test_plugins_are_not_looked_after(flapping: Watched) -> None:
    for pid in (11, 13):
        flapping.hear("reap", "plugin:other", wid=1, process_pid=pid)
    assert flapping.said == []


def test_after_as_many_rests_as_it_may_have_it_stays_stopped(flapping: Watched) -> None:
    for pid in range(2):
        flapping.hear("reap", wid=1, process_pid=pid)
    flapping.hear("stop")
    flapping.hear("start")
    for pid in range(2):
        flapping.hear("reap", wid=1, process_pid=pid)
    assert flapping.said == [("stop", "w")] * 2
    assert flapping.tries == {}


def die(flapping: Watched, times: int) -> None:
    for pid in range(times):
        flapping.hear("reap", wid=1, process_pid=pid)


def test_who_dies_seldom_has_all_rests_before_it_again(
    flapping: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    die(flapping, 2)
    flapping.hear("start")
    flapping.own = {"window": "-1"}  # however soon it dies again, that is late
    flapping.hear("updated", option="flapping.window")
    die(flapping, 2)
    flapping.own = {}
    flapping.hear("updated", option="flapping.window")
    die(flapping, 1)
    assert caplog.messages == ["w flaps: it is stopped for 7 s"] * 2


def test_one_that_dies_while_it_rests_rests_anew_and_is_started_once() -> None:
    flapping = Watched(window="60", retry_in="0.01")
    die(flapping, 4)
    flapping.loop.call_later(0.1, flapping.loop.stop)
    flapping.loop.start()
    flapping.loop.close()
    assert flapping.said == [("stop", "w"), ("stop", "w"), ("start", "w")]


@pytest.mark.parametrize("action", ["start", "stop", "remove"])
def test_what_was_before_it_was_started_stopped_or_removed_does_not_count(
    flapping: Watched, action: str
) -> None:
    die(flapping, 1)
    flapping.hear(action)
    die(flapping, 1)
    assert flapping.said == []


def test_who_was_told_to_end_does_not_flap(flapping: Watched) -> None:
    for pid in range(10):
        flapping.hear("kill", wid=1, process_pid=pid)
        flapping.hear("reap", wid=1, process_pid=pid)
    assert flapping.said == []


def test_one_that_is_well_is_not_stopped_for_others(flapping: Watched) -> None:
    flapping.ready = [1, 2]
    for pid in range(4):
        flapping.hear("reap", wid=1, process_pid=pid)
    assert flapping.said == []
    flapping.ready = [1]  # the one that flaps, in a moment in which it runs
    for pid in range(2):
        flapping.hear("reap", wid=1, process_pid=pid)
    assert flapping.said == [("stop", "w")]


def test_a_watcher_has_options_of_its_own_and_may_change_them(flapping: Watched) -> None:
    flapping.own = {"active": "False"}
    for pid in range(4):
        flapping.hear("reap", wid=1, process_pid=pid)
    assert flapping.said == []
    flapping.own = {"attempts": "3"}
    flapping.hear("updated", option="flapping.attempts")
    for pid in range(3):
        assert flapping.said == []
        flapping.hear("reap", wid=1, process_pid=pid)
    assert flapping.said == [("stop", "w")]


def test_what_is_no_number_does_not_count(
    flapping: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    flapping.own = {"attempts": "many"}
    for pid in range(2):
        flapping.hear("reap", wid=1, process_pid=pid)
    assert flapping.said == [("stop", "w")]
    assert "w: its options that begin with flapping. do not count" in caplog.text


def test_who_rests_is_started_when_nobody_else_would(flapping: Watched) -> None:
    for pid in range(2):
        flapping.hear("reap", wid=1, process_pid=pid)
    flapping.handle_stop()
    assert flapping.said == [("stop", "w"), ("start", "w")]
