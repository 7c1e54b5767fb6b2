"""What circusd-stats publishes, and for whom."""

from __future__ import annotations

import os

import pytest

from circus.stats.messages import of_sockets, of_watcher, overlap, total
from circus.stats.roster import Worker, roster


def info(pid: int, cpu: object = 1.0, mem: object = 0.5, age: object = 3.0) -> dict[str, object]:
    return {"pid": pid, "cpu": cpu, "mem": mem, "age": age}


def test_a_watcher_is_told_process_by_process_then_as_a_whole() -> None:
    found = list(of_watcher("w", [info(7), {**info(8), "name": "circusd"}]))
    assert found == [
        ("stat.w.7", {**info(7), "subtopic": 7, "name": None}),
        ("stat.w.8", {**info(8), "subtopic": 8, "name": "circusd"}),
        ("stat.w", {"pid": [7, 8], "cpu": 1.0, "mem": 1.0, "age": 3.0}),
    ]


@pytest.mark.parametrize(
    ("infos", "expected"),
    [
        ([], {"pid": [], "cpu": 0.0, "mem": 0, "age": "N/A"}),
        ([info(1, 1, 1, 5), info(2, 2, 2, 9)], {"pid": [1, 2], "cpu": 1.5, "mem": 3, "age": 9}),
        ([info(1), info(2, cpu="N/A")], {"pid": [1, 2], "cpu": "N/A", "mem": 1.0, "age": 3.0}),
    ],
)
def test_a_whole_is_a_mean_a_sum_and_the_oldest(
    infos: list[dict[str, object]], expected: dict[str, object]
) -> None:
    assert total(infos) == expected


def test_sockets_are_told_one_by_one_then_together() -> None:
    one = {"fd": 5, "address": "127.0.0.1:80", "reads": 2, "queue": 1}
    two = {"fd": 6, "address": "/x", "reads": 3, "queue": 0}
    assert list(of_sockets([one, two])) == [
        ("stat.sockets.5", {**one, "subtopic": 5}),
        ("stat.sockets.6", {**two, "subtopic": 6}),
        ("stat.sockets", {"addresses": ["127.0.0.1:80", "/x"], "reads": 5}),
    ]
    assert list(of_sockets([])) == []


@pytest.mark.parametrize(
    ("subscription", "beginning", "expected"),
    [
        ("", "stat.w", True),
        ("stat.", "stat.w", True),
        ("stat.w.12", "stat.w", True),
        ("stat.web", "stat.w", True),
        ("stat.x", "stat.w", False),
    ],
)
def test_only_what_somebody_listens_to_is_wanted(
    subscription: str, beginning: str, *, expected: bool
) -> None:
    assert overlap(subscription, beginning) is expected


def test_a_roster_has_watchers_by_topic_and_the_processes_that_circus_is() -> None:
    slots = [{"wid": 1, "pid": 10}, {"wid": 2, "pid": None}]
    helper = {"name": "circushttpd", "slots": [{"wid": 1, "pid": 11}]}
    found = roster([{"name": "My Web", "slots": slots}, helper], 9, ())
    assert found.watchers == {"my_web": [Worker(1, 10)], "circushttpd": [Worker(1, 11)]}
    assert found.own == {9: "circusd", os.getpid(): "circusd-stats", 11: "circushttpd"}
