"""From messages and answers to what is shown."""

from __future__ import annotations

from typing import Any

from circus.picture.gather import Gatherer
from circus.picture.model import Process, Slot, Socket, Watcher


def told(pid: int, **more: object) -> dict[str, Any]:
    info = {"pid": pid, "cpu": 1.5, "mem": 0.5, "mem_info1": "1M", "age": 3.0, "username": "u"}
    return {**info, "cmdline": "x", "children": [], "name": None, **more}


def slot(wid: int, pid: int | None, **more: object) -> dict[str, Any]:
    found = {"wid": wid, "pid": pid, "state": "ready", "since": 2.0, "what": "running"}
    return {**found, "last": "", "next": "nothing", "restarts": 0, **more}


def process(pid: int, *below: Process) -> Process:
    return Process(pid, "x", "u", 1.5, 0.5, "1M", 3.0, below)


def test_slots_have_their_processes() -> None:
    gatherer = Gatherer()
    gatherer.take("my_web", "7", told(7, children=[told(8)]), 0.0)
    gatherer.explain([{"name": "My web", "state": "active", "slots": [slot(1, 7), slot(2, 9)]}])
    story = ("running since 2.0 s",)
    assert gatherer.snapshot(1.0).watchers == (
        Watcher("My web", "active", (
            Slot(1, "ready", story, process(7, process(8))),
            Slot(2, "ready", story, Process(9)),
        )),
    )  # fmt: skip


def test_a_slot_tells_its_story() -> None:
    gatherer = Gatherer()
    odd = slot(1, None, what="backing off", last="exited with code 1", next="in 2 s", restarts=3)
    gatherer.explain([{"name": "w", "state": "active", "slots": [odd]}])
    (watcher,) = gatherer.snapshot(0.0).watchers
    assert watcher.slots[0].story == (
        "backing off since 2.0 s, restarted 3 times", "last: exited with code 1", "next: in 2 s",
    )  # fmt: skip


def test_what_is_not_heard_of_is_dropped() -> None:
    gatherer = Gatherer(believed=3.0)
    gatherer.take("w", "7", told(7), 0.0)
    assert len(gatherer.snapshot(3.0).watchers) == 1
    assert gatherer.snapshot(3.1).watchers == ()


def test_without_circusd_messages_are_enough() -> None:
    """Those of circus 0.19 have no wid."""
    gatherer = Gatherer()
    gatherer.take("w", "7", told(7), 0.0)
    gatherer.take("w", None, {"pid": [7], "cpu": 1.5}, 0.0)
    gatherer.take("circus", "1", told(1, name="circusd"), 0.0)
    found = gatherer.snapshot(0.0)
    assert found.watchers == (Watcher("w", "", (Slot(None, "", (), process(7)),)),)
    assert [one.name for one in found.own] == ["circusd"]


def test_sockets_with_and_without_what_019_does_not_tell() -> None:
    gatherer = Gatherer()
    message = {"fd": 5, "address": "127.0.0.1:80", "reads": 2}
    gatherer.take("sockets", "5", message, 0.0)
    assert gatherer.snapshot(0.0).sockets == (Socket(5, "", "127.0.0.1:80", 2),)
    gatherer.take("sockets", "5", {**message, "name": "web", "queue": 1, "backlog": 9}, 0.0)
    assert gatherer.snapshot(0.0).sockets == (Socket(5, "web", "127.0.0.1:80", 2, 1, 9),)


def test_answers_to_stats_do_as_well() -> None:
    gatherer = Gatherer()
    gatherer.take_stats({"My web": {"7": told(7), "8": "No such process (stopped?)"}}, told(1), 0.0)
    gatherer.explain([{"name": "My web", "state": "active", "slots": [slot(1, 7), slot(2, None)]}])
    found = gatherer.snapshot(0.0)
    assert found.watchers[0].processes == [process(7)]
    assert found.own[0].pid == 1
    gatherer.take_sockets([{"fd": 5, "name": "u", "path": "/x", "backlog": 9, "queue": 0}], 0.0)
    assert gatherer.snapshot(0.0).sockets == (Socket(5, "u", "/x", None, 0, 9),)


def test_what_is_not_a_number_is_not_known() -> None:
    gatherer = Gatherer()
    gatherer.take("w", "7", told(7, cpu="N/A"), 0.0)
    (watcher,) = gatherer.snapshot(0.0).watchers
    assert watcher.cpu is None
    assert watcher.memory == 0.5
