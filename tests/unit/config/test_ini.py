"""Lines to sections, as files of years stand there."""

from __future__ import annotations

import pytest

from circus.config.ini import Parsed


def options(text: str | bytes) -> dict[str, dict[str, str]]:
    """By section; nothing may be wrong."""
    parsed = read(text)
    assert parsed.problems == []
    return {
        name: {key: entry.value for key, entry in section.options.items()}
        for name, section in parsed.sections.items()
    }


def read(text: str | bytes) -> Parsed:
    parsed = Parsed()
    parsed.read(text.encode() if isinstance(text, str) else text, "x.ini")
    return parsed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1\nb: 2\nc=x=y\nd:x=y\n", {"a": "1", "b": "2", "c": "x=y", "d": "x=y"}),
        ("A = 1\na = 2\n", {"A": "1", "a": "2"}),
        ("a = 1\na = 2\n", {"a": "1"}),
        ('a = ""\nb =\nc = "x"\n', {"a": "", "b": "", "c": '"x"'}),
        ("# no\n; no\nrem no\nREM\na = 1\n", {"a": "1"}),
        ("  # no\n\t; no\na = 1\n", {"a": "1"}),
        ("remote = 1\n", {"remote": "1"}),
        ("a = x ; no\nb = x # yes\nc = x;y\nd = x;y ; z\n",
         {"a": "x", "b": "x # yes", "c": "x;y", "d": "x;y ; z"}),
        ('a = sh -c "a ; b"\n', {"a": 'sh -c "a'}),
        ("a = 1\n  2\n\n\t3\nb = 4\n", {"a": "1\n2\n3", "b": "4"}),
        ("a = x\n  ; y\n", {"a": "x\n; y"}),
        ("  a = 1\n  b = 2\n    c\n", {"a": "1", "b": "2\nc"}),
        ("a = %(b)s %\n", {"a": "%(b)s %"}),
        ("a = 1\r\nb = 2\r\n", {"a": "1", "b": "2"}),
    ],
)  # fmt: skip
def test_options(text: str, expected: dict[str, str]) -> None:
    assert options("[x]\n" + text) == {"x": expected}


def test_sections_of_one_name_are_one() -> None:
    text = "[x]\na = 1\n[y]\na = 3\n[x]\na = 2\nb = 2\n"
    assert options(text) == {"x": {"a": "1", "b": "2"}, "y": {"a": "3"}}


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("[watcher:a b]", "watcher:a b"),
        ("[env:web[0-9]*]", "env:web[0-9]*"),
        ("[watcher:a] ; of [b]", "watcher:a"),
        ("[watcher:a]  # b", "watcher:a"),
        ("[watcher:a] rem b", "watcher:a"),
    ],
)
def test_headers(header: str, name: str) -> None:
    assert options(f"{header}\na = 1\n") == {name: {"a": "1"}}


def test_an_indented_section_ends_with_its_indentation() -> None:
    text = (
        "[watcher:w]\ncmd = x\n  y\n"
        "    [env:w]\n    A = 1\n      2\n    B = 3\n\n"
        "        [env:v]\n        C = 4\n"
        "    D = 5\n"
        "# not the end\nargs = z\n"
    )
    assert options(text) == {
        "watcher:w": {"cmd": "x\ny", "args": "z"},
        "env:w": {"A": "1\n2", "B": "3", "D": "5"},
        "env:v": {"C": "4"},
    }


def test_other_indented_brackets_go_on_with_a_value() -> None:
    text = "[watcher:w]\ncmd = if\n  [ -f x ]\n  then\n  [unknown]\n"
    assert options(text) == {"watcher:w": {"cmd": "if\n[ -f x ]\nthen\n[unknown]"}}


def test_a_mark_of_byte_order_is_no_text() -> None:
    assert options(b"\xef\xbb\xbf[x]\na = \xc3\xa9\n") == {"x": {"a": "é"}}


def test_lines_that_are_not_text_are_left_out_and_the_others_read() -> None:
    parsed = read(b"[x]\na = 1\nb = \xff\n  more\nc = 2\n  \xff\nd = 3\n[y\xff]\ne = 4\n")
    assert [str(one) for one in parsed.problems] == [
        f"x.ini:{line}: byte 0xff is not UTF-8 text" for line in (3, 6, 8)
    ]
    section = parsed.sections["x"]
    assert set(section.options) == {"a", "c", "d"}
    assert section.unreadable == {"b"}


def test_lines_are_counted_where_people_count_them() -> None:
    parsed = read("[x]\r\n\r\na = 1\n\u2028\nb = \x85\nnonsense\n")
    assert parsed.sections["x"].options["a"].where == "x.ini:3"
    assert [one.where for one in parsed.problems] == ["x.ini:6"]
