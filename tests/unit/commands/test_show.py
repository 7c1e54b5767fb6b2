"""What people read. The texts of old commands are those that circusctl 0.19.0 printed."""

from __future__ import annotations

from typing import Any

import pytest

from circus.commands import find
from circus.commands.text import duration, printable

INFO = {
    "pid": 12, "cmdline": "py", "username": "root", "nice": 0, "mem_info1": "1K",
    "mem_info2": "2K", "cpu": 0.5, "mem": 0.1, "ctime": "0:00.01", "create_time": 1.5,
    "age": 3.5, "children": [],
}  # fmt: skip
PARENT = {**INFO, "children": [{**INFO, "pid": 13}]}
LINES = "12: 12  py root 0 1K 2K 0.5 0.1 0:00.01\n   13  py root 0 1K 2K 0.5 0.1 0:00.01\n"
DROPPED = {"no room": {"lines": 1, "bytes": 5}, "too many": {"lines": 2, "bytes": 10}}
OUTPUT = {"stdout": {"read": 30, "written": 9, "dropped": DROPPED}}

CASES: list[tuple[str, dict[str, Any], str]] = [
    ("list", {"watchers": ["a", "b"]}, "a,b\n"),
    ("list", {"watchers": []}, "\n"),
    ("list", {"pids": [1, 2]}, "1,2\n"),
    ("status", {"statuses": {"b": "active", "A": "stopped"}}, "A: stopped\nb: active\n"),
    ("status", {"status": "active"}, "active\n"),
    ("numwatchers", {"numwatchers": 3}, "3\n"),
    ("numprocesses", {"numprocesses": 3, "watcher_name": "a"}, "3\n"),
    (
        "globaloptions",
        {"options": {"endpoint": "x", "check_delay": 1.0, "stats_endpoint": None}},
        "endpoint: x\ncheck_delay: 1.0\nstats_endpoint: \n",
    ),
    (
        "options",
        {"options": {"env": {"B": "2", "A": "1"}, "uid": None, "shell": False, "args": ["a"]}},
        "env: A=1,B=2\nuid: \nshell: False\nargs: ['a']\n",
    ),
    ("get", {"options": {"uid": None, "env": {}}}, "uid: \nenv: \n"),
    (
        "stats",
        {"infos": {"W": {"12": PARENT}, "A": {"5": "No such process (stopped?)"}}},
        f"W:\n{LINES}A:\n5: No such process (stopped?)\n",
    ),
    ("stats", {"name": "w", "info": {"12": PARENT}}, f"w:\n{LINES}"),
    (
        "stats",
        {"infos": {"w": {}, "A": {}}, "outputs": {"w": OUTPUT}},
        "w:\nstdout: 30 bytes read, 9 written, 15 (3 lines) dropped: no room; too many\nA:\n",
    ),
    (
        "stats",
        {"name": "w", "info": {}, "output": {"stderr": {"read": 3, "written": 3, "dropped": {}}}},
        "w:\nstderr: 3 bytes read, 3 written, 0 (0 lines) dropped\n",
    ),
    ("stats", {"process": 12, "info": PARENT}, f"{LINES}\n"),
    (
        "dstats",
        {"info": PARENT},
        "Main Process:\n    12  py root 0 1K 2K 0.5 0.1 0:00.01\n"
        "Children:\n    13  py root 0 1K 2K 0.5 0.1 0:00.01\n",
    ),
    (
        "listsockets",
        {
            "sockets": [
                {"fd": 4, "name": "w", "backlog": 5, "host": "h", "port": 4},
                {"fd": 5, "name": "w", "backlog": 5, "path": "/x", "queue": 2},
                {"fd": 6, "name": "w", "backlog": 5, "host": "::", "port": 1, "so_reuseport": True},
            ]
        },
        "4:socket 'w' at h:4\n5:socket 'w' at /x, 2 of 5 waiting\n"
        "6:socket 'w' at :::1, one for each worker\n",
    ),
    ("listsockets", {"sockets": []}, "\n"),
    ("incr", {}, "ok\n"),
    ("incr", {"numprocesses": 3}, "3\n"),
    (
        "decr",
        {"numprocesses": 1, "singleton": True},
        "This watcher is a Singleton - not changing the number of processes\n",
    ),
    ("start", {"info": {"started": [1], "kept": [2]}}, "ok\n"),
    ("stop", {"info": None}, "ok\n"),
    ("stop", {"info": None, "killed": ["web.1 (pid 3)"]}, "ok\nhad to be killed: web.1 (pid 3)\n"),
    ("set", {}, "ok\n"),
    ("signal", {}, "ok\n"),
    ("quit", {}, "ok\n"),
    (
        "is-active",
        {"active": False, "statuses": {"b": "active", "a": "stopped"}},
        "active\nstopped\n",
    ),
    ("wait", {"statuses": {"b": "active"}}, "b: active\n"),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "answer", "text"), CASES)
def test_texts(verb: str, answer: dict[str, Any], text: str) -> None:
    assert find(verb).show({"status": "ok", **answer}) + "\n" == text


def slot(**fields: object) -> dict[str, object]:
    usual = {"wid": 1, "state": "ready", "since": 3.21, "pid": None, "what": "running"}
    return {**usual, "last": "", "next": "nothing", "failures": 0, "restarts": 0, **fields}


def watcher(**fields: Any) -> dict[str, Any]:
    return {"waits_for": None, "halted": None, "slots": [], **fields}


def test_why_is_a_sentence_for_each_worker() -> None:
    answer = {
        "watchers": [
            watcher(name="db", state="stopped"),
            watcher(name="app", state="starting", waits_for="db"),
            watcher(name="mail", state="stopped", halted="hook before_start says no"),
            watcher(name="old", state="stopping", halted="waiting for x", slots=[slot(pid=9)]),
            watcher(
                name="web",
                state="active",
                slots=[
                    slot(pid=7),
                    slot(
                        wid=10,
                        what="backing off",
                        last="exited with code 1",
                        next="next try in 1.4 s (failure 3 of 5)",
                        restarts=3,
                    ),
                ],
            ),
        ]
    }
    assert find("why").show(answer).splitlines() == [
        "db  stopped",
        "app  starting, waits for db",
        "mail  stopped, hook before_start says no",
        "old    stopping, waiting for x",
        "old.1  running since 3.2 s, pid 9",
        "web.1   running since 3.2 s, pid 7",
        "web.10  backing off since 3.2 s: exited with code 1; next try in 1.4 s (failure 3 of 5)"
        "; restarted 3 times",
    ]


def test_only_is_active_has_a_verdict() -> None:
    assert find("is-active").verdict({"active": True}) == 0
    assert find("is-active").verdict({"active": False}) == 3
    assert find("status").verdict({"status": "stopped"}) == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (59.9, "59.9 s"),
        (60, "1 min"),
        (250, "4 min 10 s"),
        (7500, "2 h 5 min"),
        (273600, "3 d 4 h"),
        (86400, "1 d"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_nothing_in_an_answer_acts_on_a_terminal() -> None:
    evil = {"\x1b[2Jname": ["a\nb", "\x9b31m", "\u202eabc", "\ud800", 7, None, "é"]}
    assert printable(evil) == {
        "\\x1b[2Jname": ["a\\nb", "\\x9b31m", "\\u202eabc", "\\ud800", 7, None, "é"]
    }
