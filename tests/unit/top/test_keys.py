"""What keys do to what somebody looks at, and what they have circusd told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circus.picture.model import Snapshot, Watcher
from circus.top.keys import BINDINGS, ends
from circus.top.state import REMEMBERED, Mode, Send, State, arrived
from tests.unit.top.shown import SNAPSHOT, STATE, after, names, on, sent

TREE = ["api", "api.1", "Web", "Web.1", "helper", "Web.2", "sockets", "http"]


def test_rows_are_a_tree_by_name() -> None:
    assert names(STATE) == TREE


@pytest.mark.parametrize(
    ("keys", "selected"),
    [
        ((), "api"),
        (("down", "down"), "Web"),
        (("down", "up", "up"), "api"),
        (("end",), "http"),
        (("end", "home"), "api"),
        (("pgdn",), "http"),
        (("end", "pgup"), "api"),
    ],
)
def test_keys_select_rows(keys: tuple[str, ...], selected: str) -> None:
    row = after(STATE, *keys).row
    assert row is not None
    assert row.name == selected


def test_the_selection_stays_with_what_it_is_about() -> None:
    state = arrived(on("Web.2"), SNAPSHOT._replace(watchers=SNAPSHOT.watchers[::-1]))
    assert state.row is not None
    assert state.row.name == "Web.2"


@pytest.mark.parametrize(
    ("keys", "first"),
    [
        (("P",), ["api", "Web"]),
        (("esc",), ["api", "Web"]),
        (("P", "I"), ["Web", "api"]),
        (("M",), ["api", "Web"]),
        (("I",), ["Web", "api"]),
        (("f6", "c"), ["api", "Web"]),
        (("f6", "x"), ["api", "Web"]),
        (("T",), ["api", "Web"]),
    ],
)
def test_watchers_are_sorted(keys: tuple[str, ...], first: list[str]) -> None:
    assert [name for name in names(after(STATE, *keys)) if name in ("api", "Web")] == first


def test_who_sorts_sees_the_first() -> None:
    for keys in (("P",), ("f6", "m"), ("I",)):
        state = after(on("http"), *keys)
        assert state.index(state.rows) == 0


@pytest.mark.parametrize("keys", [("P",), ("P", "I"), ("M",), ("T",)])
def test_what_is_equal_stands_by_name(keys: tuple[str, ...]) -> None:
    state = arrived(State(), Snapshot(tuple(map(Watcher, ("b", "c", "a")))))
    assert names(after(state, *keys)) == ["a", "b", "c"]


def test_sockets_stay_at_the_end() -> None:
    assert names(after(STATE, "I"))[-2:] == ["sockets", "http"]


def test_processes_in_one_list() -> None:
    assert names(after(STATE, "t", "P")) == ["api.1", "Web.1", "helper"]
    assert names(after(STATE, "t", "t")) == TREE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web", ["Web", "Web.1", "helper", "Web.2"]),
        ("help", ["Web", "Web.1", "helper"]),
        ("BACKOFF", ["Web", "Web.2"]),
        ("12", ["Web", "Web.1", "helper", "sockets", "http"]),
        ("nothing", []),
    ],
)
def test_a_filter_keeps_what_matches_with_what_it_is_below(text: str, expected: list[str]) -> None:
    assert names(after(STATE, "f4", *text)) == expected
    assert names(after(STATE, "\\", *text, "enter")) == expected
    assert names(after(STATE, "f4", *text, "esc")) == TREE
    assert names(after(STATE, "f4", *text, "enter", "esc")) == TREE


def test_a_filter_can_be_edited() -> None:
    state = after(STATE, "f4", "a", "p", "i", "enter", "f4", "backspace", "backspace")
    assert (state.filter, state.mode) == ("a", Mode.FILTER)


def test_a_search_goes_to_the_next() -> None:
    state = after(STATE, "/", "w", "e", "b")
    assert [after(state, *["f3"] * number).selected for number in range(4)] == [
        ("watcher", "Web"), ("slot", "Web", "1"), ("slot", "Web", "2"), ("watcher", "Web"),
    ]  # fmt: skip
    assert after(state, "enter").mode is Mode.BROWSE


def test_what_is_below_is_closed_and_opened() -> None:
    closed = after(on("Web"), "-")
    assert names(closed) == ["api", "api.1", "Web", "sockets", "http"]
    assert names(after(closed, "+")) == TREE


def test_while_it_is_paused_nothing_changes() -> None:
    paused = after(STATE, "Z")
    assert names(arrived(paused, Snapshot())) == TREE
    assert names(arrived(after(paused, "Z"), Snapshot())) == []


def test_help_moves() -> None:
    for keys, scrolled in (
        (("down", "down", "up"), 1),
        (("up",), 0),
        (("pgdn", "pgup", "pgup"), 0),
        (("pgdn", "x", "?"), 0),
    ):
        state = after(STATE, "?", *keys)
        assert (state.mode, state.scrolled) == (Mode.HELP, scrolled)


def test_any_key_leaves_help() -> None:
    assert after(STATE, "?").mode is Mode.HELP
    assert after(STATE, "?", "q").mode is Mode.BROWSE


@pytest.mark.parametrize(
    ("name", "key", "command", "properties"),
    [
        ("Web", "r", "restart", {"name": "Web"}),
        ("Web.1", "r", "kill", {"name": "Web", "pid": 11}),
        ("Web.2", "r", "restart", {"name": "Web"}),
        ("Web.1", "s", "stop", {"name": "Web"}),
        ("api", "a", "start", {"name": "api"}),
        ("helper", "]", "incr", {"name": "Web"}),
        ("Web", "f7", "decr", {"name": "Web"}),
    ],
)
def test_what_changes_something_is_asked_first(
    name: str, key: str, command: str, properties: dict[str, object]
) -> None:
    asked = sent(on(name), key, "y")
    assert asked is not None
    assert (asked.command, asked.properties) == (command, properties)
    assert sent(on(name), key, "n") is None
    assert sent(on(name), key, "n", "y") is None


@pytest.mark.parametrize(
    ("name", "typed", "properties"),
    [
        ("Web", "", {"name": "Web", "signum": "TERM"}),
        ("Web.1", "hup", {"name": "Web", "signum": "HUP", "pid": 11}),
        ("helper", "SIGUSR1", {"name": "Web", "signum": "USR1", "pid": 11, "childpid": 12}),
        ("Web.1", "9", {"name": "Web", "signum": "9", "pid": 11}),
    ],
)
def test_a_signal_is_for_what_is_selected(
    name: str, typed: str, properties: dict[str, object]
) -> None:
    asked = sent(on(name), "f9", *typed, "enter")
    assert asked is not None
    assert (asked.command, asked.properties) == ("signal", properties)


def test_there_is_no_such_signal() -> None:
    assert sent(on("Web"), "k", *"NOPE", "enter") is None
    assert after(on("Web"), "k", *"NOPE", "enter").notice == "there is no signal NOPE"
    assert sent(on("Web"), "k", "esc") is None


def test_what_is_gone_by_then_gets_no_signal() -> None:
    gone = arrived(after(on("Web.1"), "k", *"HUP"), Snapshot())
    assert sent(gone, "enter") is None
    assert after(gone, "enter").mode is Mode.BROWSE


def test_a_socket_cannot_be_told_anything() -> None:
    for key in ("r", "s", "a", "]", "[", "k"):
        state = after(on("http"), key)
        assert state.mode is Mode.BROWSE
        assert state.notice.startswith("select ")


def test_who_only_looks_has_no_keys_that_change_anything() -> None:
    state = replace(on("Web"), readonly=True)
    for binding in BINDINGS:
        if binding.acts:
            for key in binding.keys:
                assert sent(state, key, "y") is None
                assert after(state, key) == state


def test_q_is_text_while_something_is_typed() -> None:
    assert ends(STATE, "q")
    assert not ends(after(STATE, "f4"), "q")
    assert ends(after(STATE, "f4"), "f10")


def test_an_empty_screen_takes_every_key() -> None:
    for binding in BINDINGS:
        for key in binding.keys:
            after(State(), key, "enter", "y")


def test_history_is_kept_as_long_as_something_is_there() -> None:
    state = STATE
    for _ in range(REMEMBERED + 5):
        state = arrived(state, SNAPSHOT)
    assert state.history["watcher", "api"].cpu == (70.0,) * REMEMBERED
    assert arrived(state, Snapshot()).history == {}


def test_no_key_does_two_things() -> None:
    keys = [key for binding in BINDINGS for key in binding.keys]
    assert len(keys) == len(set(keys))


def test_a_command_says_what_it_is() -> None:
    assert sent(on("Web"), "s", "y") == Send("stop", {"name": "Web"}, "stop Web")
