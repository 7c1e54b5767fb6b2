"""What is drawn, line by line."""

from __future__ import annotations

from dataclasses import replace

import pytest

from circus.ctl.terminal import width
from circus.picture.model import Process, Slot, Snapshot, Watcher
from circus.top.keys import BINDINGS
from circus.top.screen import ASCII_BARS, Size, age_text, page_of, plain_lines, render, spark
from circus.top.state import State, arrived, silenced
from tests.unit.top.shown import STATE, after, on

USUAL = Size(80, 24)


def text(state: State, size: Size = USUAL) -> list[str]:
    return ["".join(span.text for span in line).rstrip() for line in render(state, size)]


def test_the_whole_screen() -> None:
    shown = text(STATE, Size(80, 14))
    assert shown == [
        "circus-top  2 watchers, 2 of 3 workers run, circusd 0.5% 30.00M",
        "",
        "NAME^                  PID   CPU%   MEM%    STATE    AGE     RES",
        " api                         70.0    3.0   active     9s          1 of 1 run",
        "   api.1                 9   70.0    3.0    ready     9s      1G  api",
        " Web                         21.0    1.5   active     5s          1 of 2 run",
        "   Web.1                11   20.0    1.0    ready     5s  10.00M  gunicorn",
        "     helper             12    1.0    0.5              4s   5.00M",
        "   Web.2                                  backoff",
        " sockets                                        1",
        "   http                                    7 hits                 127.0.0.1:80,…",
        "",
        "",
        "F1 Help  F3 Search  F4 Filter  F6 Sort  F9 Signal  r Restart  i Details  q End",
    ]


def test_details_tell_the_story_and_how_it_has_been() -> None:
    state = STATE
    for cpu in (0.0, 35.0, 70.0):
        worker = Process(9, "api", "me", cpu, 3.0, "1G", 9.0)
        one = Watcher("api", "active", (Slot(1, "ready", ("running since 9.0 s",), worker),))
        state = arrived(state, Snapshot((one,)))
    lines = text(after(on("api.1", state), "enter"))
    assert lines[-8:-1] == [
        "-" * 80,
        "api.1, pid 9, user me  api",
        "running since 9.0 s",
        "",
        "",
        "CPU   70.0% █▁▅█",
        "MEM    3.0% ████",
    ]


@pytest.mark.parametrize("columns", [10, 20, 33, 47, 60, 80, 200])
@pytest.mark.parametrize("lines", [1, 3, 4, 8, 24, 60])
@pytest.mark.parametrize("keys", [(), ("?",), ("enter",), ("f4", "w"), ("f9",), ("r",), ("f6",)])
def test_it_fits_whatever_the_size(columns: int, lines: int, keys: tuple[str, ...]) -> None:
    drawn = render(after(on("Web.1"), *keys), Size(columns, lines))
    assert len(drawn) <= lines
    assert max(sum(width(span.text) for span in line) for line in drawn) <= columns


def test_a_narrow_terminal_leaves_columns_out() -> None:
    heads = [text(STATE, Size(columns, 24))[2].split() for columns in (80, 57, 45, 30, 20)]
    assert [head[-1] for head in heads] == ["RES", "AGE", "STATE", "CPU%", "PID"]
    # and what stays is whole
    assert [text(STATE, Size(60, 24))[at].split()[-1] for at in (5, 6, 7)] == [
        "5s",
        "10.00M",
        "5.00M",
    ]


@pytest.mark.parametrize("columns", [10, 20, 40, 60, 77, 78])
def test_the_key_bar_tells_how_to_end(columns: int) -> None:
    bar = text(STATE, Size(columns, 24))[-1]
    assert bar.startswith("F1 Help")
    assert columns < 16 or bar.endswith("q End")
    assert (len(bar) == 78) is (columns == 78)


def test_names_get_what_they_need_where_there_is_room() -> None:
    one = Watcher("a" * 50, "active", (Slot(1, "ready", (), Process(1, "p" * 20)),))
    lines = text(arrived(State(), Snapshot((one,))), Size(130, 24))
    assert "a" * 50 + " " in lines[3]
    assert lines[4].endswith("p" * 20)
    short = text(STATE, Size(90, 24))
    assert "127.0.0.1:80, 3 of 128" in short[10]


def test_a_page_is_what_is_between_the_head_and_the_details() -> None:
    state = arrived(State(), Snapshot(tuple(Watcher(f"w{number:03}") for number in range(100))))
    for keys in ((), ("enter",)):
        shown = after(state, *keys)
        names = [line for line in text(shown) if line.startswith(" w")]
        assert page_of(shown, USUAL) == len(names)


def test_what_is_out_of_date_is_called_so() -> None:
    lines = text(silenced(STATE, "Timed out."))
    assert lines[0].endswith("OUT OF DATE")
    assert lines[1] == "Timed out."
    assert "OUT OF DATE" not in text(silenced(State(), "Timed out."))[0]
    assert "OUT OF DATE" not in text(arrived(silenced(STATE, "x"), STATE.snapshot))[0]


def test_a_pause_is_shown_as_long_as_it_lasts() -> None:
    assert text(after(STATE, "Z"))[0].endswith("  PAUSED")
    assert "PAUSED" not in text(after(STATE, "Z", "Z"))[0]


def test_where_nothing_is_there_are_no_details() -> None:
    shown = text(after(State(), "enter"))
    assert shown[:2] == ["circus-top  0 watchers, 0 of 0 workers run", "Waiting for data"]
    assert not any("CPU " in line or line.startswith("---") for line in shown[3:])


def test_a_search_for_what_is_not_there_says_so() -> None:
    assert text(after(STATE, "/", *"web"))[-1] == "Search: web_"
    assert text(after(STATE, "/", *"wex"))[-1] == "Search: wex_  nothing has this"


def test_the_mark_says_which_way_it_is_sorted() -> None:
    for keys, mark in ((("N",), "PID^"), (("P",), "CPU%v"), (("P", "I"), "CPU%^"), ((), "NAME^")):
        assert mark in text(after(STATE, *keys))[2].split()


def test_the_selected_row_is_in_sight() -> None:
    state = arrived(State(), Snapshot(tuple(Watcher(f"w{number:03}") for number in range(100))))
    for key, expected in (("end", "w099"), ("home", "w000")):
        state = after(state, key)
        drawn = render(state, USUAL)
        (chosen,) = [line for line in drawn if line and line[0].style == "chosen"]
        assert expected in chosen[0].text


def test_nothing_that_a_terminal_would_act_on_gets_through() -> None:
    name = "evil\x1b[2J\x07\u202e\n"
    worker = Process(1, "\x1b]0;title\x07", "root\r", 1.0, 1.0, "1M", 1.0)
    one = Watcher(name, "\x9b31m", (Slot(1, "ready\x1b", ("\x1b[A",), worker),))
    state = arrived(replace(STATE, notice="\x1bc"), Snapshot((one,)), "\x1b[H")
    for keys in ((), ("enter",), ("down", "r"), ("f9",), ("f4", "e")):
        for line in render(after(state, *keys), USUAL):
            assert all(span.text.isprintable() for span in line)
    assert "evil\\x1b[2J" in "\n".join(text(state, Size(200, 24)))


def test_a_terminal_without_utf8_gets_ascii() -> None:
    one = Watcher("naïve-日本語-and-a-long-name", "active", (Slot(1, "ready", (), Process(1)),))
    state = after(arrived(STATE, Snapshot((one,))), "enter")
    lines = text(state, Size(80, 24, plain=True))
    assert all(line.isascii() for line in lines)
    assert any("na\\xefve" in line for line in lines)


@pytest.mark.parametrize(
    ("samples", "room", "top", "plain", "expected"),
    [
        ((), 5, 1.0, False, ""),
        ((0.0, 50.0, 100.0), 5, 100.0, False, "▁▅█"),
        ((0.0, 50.0, 100.0), 2, 100.0, False, "▅█"),
        ((0.0, 100.0, 900.0), 5, 100.0, True, f"{ASCII_BARS[0]}{ASCII_BARS[-1] * 2}"),
        ((1.0,), 0, 1.0, False, ""),
        ((1.0,), 5, 0.0, False, "▁"),
    ],
)
def test_a_sparkline(
    samples: tuple[float, ...], room: int, top: float, expected: str, *, plain: bool
) -> None:
    assert spark(samples, room, top, plain=plain) == expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [(None, ""), (0.4, "0s"), (59, "59s"), (3599, "59m59s"), (86399, "23h59m"), (864000, "10d")],
)
def test_ages(age: float | None, expected: str) -> None:
    assert age_text(age) == expected


def test_help_names_every_key_in_24_lines() -> None:
    shown = text(after(STATE, "?"))
    assert len(shown) == 24
    for binding in BINDINGS:
        assert any(f"{binding.shown} " in line for line in shown)
    assert shown[-1] == "Any key goes back"


def test_help_that_does_not_fit_can_be_moved() -> None:
    state, size = after(STATE, "?"), Size(80, 10)
    assert text(state, size)[-1] == "Up, Down: more; any other key goes back"
    seen = {line for number in range(30) for line in text(after(state, *["down"] * number), size)}
    for binding in BINDINGS:
        assert any(f"{binding.shown} " in line for line in seen)


def test_a_table_for_a_file_has_all_rows() -> None:
    lines = plain_lines(STATE, Size(80, 0))
    assert len(lines) == 1 + len(STATE.rows)
    assert lines[0].split()[:3] == ["NAME", "PID", "CPU%"]
    assert plain_lines(STATE, Size(10_000, 0))[-1].endswith("127.0.0.1:80, 3 of 128 wait")
