"""Each event once and in order, or a word that some are missing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from circus.ctl.catchup import CatchUp
from circus.exc import CallError


class Teller:
    """A daemon of which the test decides what gets through."""

    def __init__(self, kept: int = 100) -> None:
        self.told: list[int] = []
        self.kept = kept
        self.instance = "i"
        self.reachable = True
        self.asked = 0

    def tell(self, count: int = 1) -> list[tuple[str, str]]:
        """New events, as they are sent."""
        first = len(self.told) + 1
        new = range(first, first + count)
        self.told += new
        return [self.event(number) for number in new]

    def event(self, number: int) -> tuple[str, str]:
        topic = f"watcher.{'ab'[number % 2]}.reap"
        return topic, json.dumps({"seq": number, "instance": self.instance})

    def answer(self, command: str, **asked: Any) -> dict[str, Any]:
        assert command == "events"
        self.asked += 1
        if not self.reachable:
            raise CallError("gone")
        oldest = max(1, len(self.told) - self.kept + 1)
        where = {"status": "ok", "instance": self.instance, "last": len(self.told)}
        if "since" not in asked:
            return {**where, "oldest": oldest, "gap": False, "events": []}
        same = asked["instance"] in (None, self.instance)
        since = asked["since"] if same else 0
        found = [self.event(number) for number in self.told if number > max(since, oldest - 1)]
        events = [{"topic": topic, "message": json.loads(text)} for topic, text in found]
        gap = not same or since + 1 < oldest
        return {**where, "oldest": oldest, "gap": gap, "events": events}


class Heard:
    """What somebody sees."""

    def __init__(self, teller: Teller, **options: Any) -> None:
        self.numbers: list[int] = []
        self.warnings = 0
        self.events = CatchUp(teller.answer, self._show, self._warn, **options)

    def _show(self, _topic: str, text: str) -> None:
        self.numbers.append(json.loads(text)["seq"])

    def _warn(self, _text: str) -> None:
        self.warnings += 1

    def take(self, events: list[tuple[str, str]]) -> None:
        for event in events:
            self.events.came(*event)


def test_it_begins_with_now_and_asks_for_nothing_that_came() -> None:
    teller = Teller()
    teller.tell(5)
    heard = Heard(teller)
    heard.events.connected()
    heard.take(teller.tell(3))
    assert (heard.numbers, heard.warnings, teller.asked) == ([6, 7, 8], 0, 1)


@pytest.mark.parametrize("lost", [1, 7, 40])
def test_what_got_lost_is_asked_for(lost: int) -> None:
    teller = Teller()
    heard = Heard(teller)
    heard.events.connected()
    heard.take(teller.tell(2))
    teller.tell(lost)
    heard.take(teller.tell(3))
    assert heard.numbers == list(range(1, lost + 6))
    assert heard.warnings == 0


def test_what_an_answer_had_already_is_not_shown_twice() -> None:
    teller = Teller()
    heard = Heard(teller)
    heard.events.connected()
    late = teller.tell(4)
    heard.events.connected()
    heard.take([*late, *late, *teller.tell(1)])
    assert heard.numbers == [1, 2, 3, 4, 5]


def test_more_than_is_kept_is_told() -> None:
    teller = Teller(kept=3)
    heard = Heard(teller)
    heard.events.connected()
    heard.take(teller.tell(1))
    teller.tell(10)
    heard.take(teller.tell(1))
    assert heard.numbers == [1, 10, 11, 12]
    assert heard.warnings == 1


def test_another_instance_begins_anew() -> None:
    teller = Teller()
    heard = Heard(teller)
    heard.events.connected()
    heard.take(teller.tell(5))
    teller.told, teller.instance = [], "j"
    early = teller.tell(2)
    heard.events.connected()
    heard.take([*early, *teller.tell(1)])
    assert heard.numbers == [1, 2, 3, 4, 5, 1, 2, 3]
    assert heard.warnings == 1


def test_it_goes_on_when_nobody_answers() -> None:
    teller = Teller()
    heard = Heard(teller)
    heard.events.connected()
    teller.reachable = False
    heard.take(teller.tell(1))
    teller.tell(1)
    heard.take(teller.tell(1))
    assert heard.numbers == [1, 3]


def test_topics_are_chosen_from_all() -> None:
    teller = Teller()
    heard = Heard(teller, topics=["watcher.a."], since=1, instance="i")
    teller.tell(4)
    heard.events.connected()
    heard.take(teller.tell(2))
    assert heard.numbers == [2, 4, 6]


def test_a_daemon_without_numbers_is_taken_as_it_is() -> None:
    teller = Teller()
    shown: list[str] = []
    asked: list[str] = []

    def ask(command: str, **_: object) -> dict[str, Any]:
        asked.append(command)
        return {"status": "error", "reason": "unknown command: 'events'", "errno": 2}

    events = CatchUp(ask, lambda topic, _: shown.append(topic), shown.append)
    events.connected()
    events.connected()
    events.came("watcher.w.spawn", '{"process_pid": 1}')
    events.came("odd", "not json")
    assert shown == ["watcher.w.spawn", "odd"]
    assert asked == ["events"]
    assert teller.asked == 0
