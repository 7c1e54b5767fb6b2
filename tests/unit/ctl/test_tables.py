"""Tables for a terminal: they fit, they are aligned, and nothing in them acts on it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from circus.ctl.tables import TABLES, status_table
from circus.ctl.terminal import Cell, Terminal, cut, table, terminal, width

WIDE = Terminal(200, color=False)
SLOT = {"wid": 1, "state": "ready", "what": "running", "since": 75.0, "pid": 11, "last": "",
        "next": "nothing", "failures": 0, "restarts": 2}  # fmt: skip
WEB = {"name": "Web", "state": "active", "numprocesses": 2, "waits_for": None,
       "halted": None, "slots": [
    SLOT,
    {**SLOT, "wid": 2, "state": "backoff", "what": "backing off", "pid": None, "restarts": 3,
     "last": "exited with 1", "next": "next try in 2.0 s"}]}  # fmt: skip
INFO = {"pid": 12, "cmdline": "py", "username": "root", "nice": 0, "mem_info1": "1K",
        "mem_info2": "2K", "cpu": 0.5, "mem": 0.1, "ctime": "0:00.01", "children": []}  # fmt: skip


def lines(text: str) -> list[str]:
    return text.split("\n")


def test_columns_are_aligned_also_with_characters_of_other_widths() -> None:
    found = lines(table(("A", "B"), [("日本", "x"), ("e\u0301", "y"), ("abc", "z")], WIDE))
    assert found == ["A     B", "日本  x", "e\u0301     y", "abc   z"]


@pytest.mark.parametrize("room", range(1, 60))
def test_no_line_is_wider_than_the_terminal(room: int) -> None:
    rows = [("name" * 5, "日本語" * 9, "x" * 1000), ("n", "", "short")]
    for line in lines(table(("NAME", "STATE", "NOTE"), rows, Terminal(room, color=False))):
        assert width(line) <= room


def test_what_is_long_gives_way_and_is_cut_with_an_ellipsis() -> None:
    found = lines(table(("NAME", "NOTE"), [("web", "y" * 50)], Terminal(30, color=False)))
    assert found[1] == "web   " + "y" * 23 + "…"
    assert cut("日本語", 5) == "日本…"
    assert cut("日本語", 4) == "日…"
    assert cut("abc", 0) == ""


def test_nothing_acts_on_the_terminal() -> None:
    evil = "\x1b]0;x\x07\x9b2J\r\n\u202e"
    for color in (True, False):
        text = table(("A",), [(Cell(evil, "\x1b[31m"),)], Terminal(80, color=color))
        plain = re.sub("\x1b\\[\\d+m", "", text) if color else text
        assert all(char.isprintable() or char == "\n" for char in plain)
        assert text.count("\n") == 1


def test_a_hook_that_halts_a_watcher_is_told() -> None:
    off = {**WEB, "state": "stopped", "slots": [], "halted": "hook before_start returned no"}
    assert "hook before_start returned no" in status_table({"Web": "stopped"}, [off], WIDE)
    late = {**WEB, "state": "stopping", "halted": "waiting for its before_stop hook since 1.0 s"}
    found = lines(TABLES["why"]({"watchers": [off, late]}, WIDE))
    assert found[1].split() == ["Web", "stopped", "hook", "before_start", "returned", "no"]
    assert found[2].startswith("Web     stopping")
    assert found[3].startswith("Web.1   running")


def test_limits_without_effect_are_told() -> None:
    loose = {**WEB, "slots": [SLOT], "unlimited": "tasks_max without effect: no cgroup"}
    assert "tasks_max without effect: no cgroup" in status_table({"Web": "active"}, [loose], WIDE)
    found = lines(TABLES["why"]({"watchers": [loose]}, WIDE))
    assert found[1].split()[:3] == ["Web", "active", "tasks_max"]
    assert found[2].startswith("Web.1   running")


def test_status_has_words_counts_and_what_is_wrong() -> None:
    statuses = {"Web": "active", "off": "stopped"}
    off = {**WEB, "name": "off", "numprocesses": 1, "slots": [], "waits_for": "Web"}
    assert lines(status_table(statuses, [WEB, off], WIDE)) == [
        "NAME  STATE    WORKERS  RESTARTS  SINCE       PIDS",
        "Web   active   1/2      5         1 min 15 s  exited with 1; next try in 2.0 s",
        "off   stopped  0/1      0                     waits for Web",
    ]
    many = {**WEB, "numprocesses": 9, "slots": [{**SLOT, "pid": pid} for pid in range(1, 10)]}
    assert "1 2 3 4 5 6 and 3 more" in status_table({"Web": "active"}, [many], WIDE)


def test_a_daemon_without_why_has_a_status_all_the_same() -> None:
    assert lines(status_table({"Web": "active"}, [], WIDE)) == ["NAME  STATE", "Web   active"]


CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("why", {"watchers": [WEB, {**WEB, "name": "off", "state": "stopped", "slots": []}]}, [
        "WORKER  DOING        SINCE       LAST           NEXT               PID  RESTARTS",
        "Web.1   running      1 min 15 s                                    11   2",
        "Web.2   backing off  1 min 15 s  exited with 1  next try in 2.0 s       3",
        "off     stopped",
    ]),
    ("stats", {"infos": {"W": {"12": {**INFO, "children": [{**INFO, "pid": 13}]}, "9": "gone"}}}, [
        "WATCHER  PID   PROGRAM  USER  NICE  MEMORY  VIRTUAL  CPU%  MEM%  TIME",
        "W        12    py       root  0     1K      2K       0.5   0.1   0:00.01",
        "W          13  py       root  0     1K      2K       0.5   0.1   0:00.01",
        "W        9     gone",
    ]),
    ("stats", {"name": "w", "info": {"12": INFO}}, [
        "WATCHER  PID  PROGRAM  USER  NICE  MEMORY  VIRTUAL  CPU%  MEM%  TIME",
        "w        12   py       root  0     1K      2K       0.5   0.1   0:00.01",
    ]),
    ("stats", {"name": "w", "info": {"12": INFO}, "output": {"stdout": {
        "read": 9, "written": 2, "dropped": {"no room": {"lines": 1, "bytes": 7}}}}}, [
        "WATCHER  PID  PROGRAM  USER  NICE  MEMORY  VIRTUAL  CPU%  MEM%  TIME",
        "w        12   py       root  0     1K      2K       0.5   0.1   0:00.01",
        "",
        "WATCHER  STREAM  READ  WRITTEN  LINES DROPPED  BYTES DROPPED  WHY",
        "w        stdout  9     2        1              7              no room",
    ]),
    ("stats", {"process": 12, "info": INFO}, [
        "PID  PROGRAM  USER  NICE  MEMORY  VIRTUAL  CPU%  MEM%  TIME",
        "12   py       root  0     1K      2K       0.5   0.1   0:00.01",
    ]),
    ("listsockets", {"sockets": [
        {"fd": 4, "name": "w", "backlog": 5, "host": "h", "port": 4},
        {"fd": 5, "name": "u", "backlog": 5, "path": "/x"}]}, [
        "FD  NAME  ADDRESS  BACKLOG", "4   w     h:4      5", "5   u     /x       5",
    ]),
    ("options", {"options": {"env": {"B": "2", "A": "1"}, "uid": None}}, [
        "OPTION  VALUE", "env     A=1,B=2", "uid",
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("verb", "reply", "text"), CASES)
def test_tables(verb: str, reply: dict[str, Any], text: list[str]) -> None:
    assert lines(TABLES[verb](reply, WIDE)) == text


def test_colour_is_for_those_who_can_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert terminal(None, {}) is None  # this is a pipe or a file
    assert terminal("never", {}) is None
    assert terminal("always", {"COLUMNS": "70", "NO_COLOR": "1"}) == Terminal(70, color=True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for environ, color in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        found = terminal("auto", {"COLUMNS": "70", **environ})
        assert found == Terminal(70, color=color)
    assert terminal("never", {"COLUMNS": "70"}) == Terminal(70, color=False)
