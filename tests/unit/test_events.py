"""The last few events, and what is said of those that are no longer there."""

from __future__ import annotations

import json

from circus.events import KEPT_BYTES, Events


def numbers(events: Events, since: int, *topics: str) -> list[int]:
    return [one.number for one in events.since(since, topics)]


def test_what_is_published_is_what_is_kept() -> None:
    events = Events()
    seen = []
    events.publish = lambda topic, payload: seen.append((topic, payload))
    events.tell("My Web", "spawn", process_pid=7)
    ((topic, payload),) = seen
    assert topic == b"watcher.my_web.spawn"
    found = json.loads(payload)
    assert found.pop("time") > 0
    assert found == {"process_pid": 7, "seq": 1, "instance": events.instance}
    assert [(one.topic, one.payload) for one in events.since(0)] == seen
    assert Events().instance != events.instance


def test_one_goes_on_with_the_numbers_of_another_and_what_it_kept() -> None:
    before = Events(kept=5)
    for _ in range(7):
        before.tell("a", "reap")
    events = Events(kept=3)
    events.go_on(before)
    assert (events.instance, events.oldest, events.last) == (before.instance, 5, 7)
    events.tell("a", "spawn")
    assert numbers(events, 0) == [6, 7, 8]


def test_the_oldest_go_first() -> None:
    events = Events(kept=3)
    assert (events.oldest, events.last, numbers(events, 0)) == (1, 0, [])
    for number in range(5):
        events.tell("ab"[number % 2], "reap")
    assert (events.oldest, events.last) == (3, 5)
    assert [numbers(events, since) for since in (0, 2, 3, 4, 5, 9)] == [
        [3, 4, 5], [3, 4, 5], [4, 5], [5], [], [],
    ]  # fmt: skip
    assert numbers(events, 0, "watcher.a.") == [3, 5]
    assert numbers(events, 0, "watcher.x", "watcher.b.reap") == [4]


def test_long_ones_do_not_fill_the_memory() -> None:
    events = Events(kept=1000)
    for _ in range(50):
        events.tell("a", "hook_failure", error="x" * (KEPT_BYTES // 10))
    assert 8 <= len(events.since(0)) <= 10
    events.tell("a", "hook_failure", error="x" * KEPT_BYTES)
    assert events.since(0) == []
    assert events.oldest == events.last + 1 == 52


def test_none_are_kept_when_nobody_wants_them() -> None:
    events = Events(kept=0)
    events.tell("a", "start")
    assert (events.last, events.oldest, events.since(0)) == (1, 2, [])
