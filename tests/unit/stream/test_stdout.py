"""What FancyStdoutStream shows."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING

import pytest

from circus.stream import FancyStdoutStream, StdoutStream, Unwritten

if TYPE_CHECKING:
    from collections.abc import Iterator

MOMENT = 1e9


@pytest.fixture(autouse=True)
def _colours_are_welcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def green() -> Iterator[FancyStdoutStream]:
    sink = FancyStdoutStream(color="green", time_format="T", refresh_time="0.3")
    yield sink
    sink.close()


def write(sink: FancyStdoutStream, data: bytes, pid: int = 1) -> None:
    sink({"pid": pid, "name": "stdout", "data": data, "timestamp": MOMENT})


def test_each_line_has_its_colour_its_time_and_its_pid(
    green: FancyStdoutStream, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    write(green, b"one\n\xff\x00\r\n")
    write(green, "ein €\n".encode(), pid=2)
    assert capfdbinary.readouterr().out == (
        b"\x1b[0;32;40mT [1] | one\x1b[0m\n"
        b"\x1b[0;32;40mT [1] | \xff\x00\r\x1b[0m\n"
        b"\x1b[0;32;40mT [2] | ein \xe2\x82\xac\x1b[0m\n"
    )


def test_an_unfinished_line_leaves_no_colour_behind(
    green: FancyStdoutStream, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    write(green, b"Password: ")
    write(green, b"ok\n")
    write(green, b"begun")
    write(green, b"another\n", pid=2)
    on, off = b"\x1b[0;32;40m", b"\x1b[0m"
    assert capfdbinary.readouterr().out == (
        b"%bT [1] | Password: %b%bok%b\n%bT [1] | begun%b\n%bT [2] | another%b\n" % ((on, off) * 4)
    )


def test_without_colours_where_nobody_wants_them(
    green: FancyStdoutStream,
    capfdbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    write(green, b"one\ntwo\n")
    assert capfdbinary.readouterr().out == b"T [1] | one\nT [1] | two\n"


def test_the_time_of_the_record_in_full_unless_it_is_to_be_shown_otherwise(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    sink = FancyStdoutStream("white")
    write(sink, b"one\n")
    sink.close()
    shown = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(MOMENT)).encode()
    assert capfdbinary.readouterr().out == b"\x1b[0;37;40m%b [1] | one\x1b[0m\n" % shown


@pytest.mark.parametrize("color", [None, "", "purple", "random"])
def test_any_other_word_means_one_by_chance(color: str | None) -> None:
    assert {FancyStdoutStream(color).color_code for _ in range(500)} == set(range(1, 8))


@pytest.mark.parametrize(
    ("replaced", "shown"),
    [
        (io.StringIO(), "one \\xff\n"),
        (io.TextIOWrapper(io.BytesIO(), "ascii", errors="surrogateescape"), "one \udcff\n"),
    ],
    ids=["text", "bytes"],
)
def test_what_a_program_puts_into_its_place_is_written_to(
    monkeypatch: pytest.MonkeyPatch, replaced: io.StringIO | io.TextIOWrapper, shown: str
) -> None:
    monkeypatch.setattr("sys.stdout", replaced)
    sink = StdoutStream()
    sink({"pid": 1, "name": "stdout", "data": b"one \xff\n", "timestamp": MOMENT})
    replaced.seek(0)
    assert replaced.read() == shown


def test_where_there_is_none_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    for gone in (None, closed):
        monkeypatch.setattr("sys.stdout", gone)
        with pytest.raises(Unwritten, match="closed"):
            StdoutStream()({"pid": 1, "name": "stdout", "data": b"one", "timestamp": MOMENT})
