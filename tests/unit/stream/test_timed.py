"""Files that are begun anew at certain times; the clock is the records' own."""

from __future__ import annotations

import os
import time
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circus.stream import TimedRotatingFileStream, Unwritten
from circus.stream.timed import UNITS, Calendar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def _berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(text: str, *, fold: int = 0) -> float:
    """Seconds since 1970 of a time in Berlin; `fold` 1 for the second time it comes."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).timestamp()


def write(sink: TimedRotatingFileStream, text: str, *, fold: int = 0, pid: int = 1) -> None:
    """A record of that moment which says it."""
    moment = at(text, fold=fold)
    sink({"pid": pid, "name": "stdout", "data": f"{text}\n".encode(), "timestamp": moment})


def stream(folder: Path, when: str, **options: str) -> TimedRotatingFileStream:
    return TimedRotatingFileStream(str(folder / "out"), rotate_when=when, **options)


def found(folder: Path) -> dict[str, list[str]]:
    return {one.name: one.read_text().splitlines() for one in folder.iterdir()}


@pytest.mark.parametrize(
    ("when", "interval", "first", "last", "next_one", "suffix"),
    [
        ("S", "10", "04 05:06:10", "04 05:06:19", "04 05:06:20", "04050610"),
        ("m", "15", "04 05:15:00", "04 05:29:59", "04 05:30:00", "040515"),
        ("H", "6", "04 06:00:00", "04 11:59:59", "04 12:00:00", "0406"),
        ("d", "1", "04 00:00:00", "04 23:59:59", "05 00:00:00", "04"),
        ("midnight", "1", "29 09:00:00", "29 23:59:59", "30 00:00:00", "29"),
        ("W0", "1", "02 00:00:00", "08 23:59:59", "09 00:00:00", "02"),
        ("w6", "1", "08 00:00:00", "14 23:59:59", "15 00:00:00", "08"),
    ],
)
def test_t26_a_period_ends_at_a_round_time(
    tmp_path: Path, when: str, interval: str, first: str, last: str, next_one: str, suffix: str
) -> None:
    sink = stream(tmp_path, when, rotate_interval=interval)
    first, last, next_one = (f"2026-03-{one}" for one in (first, last, next_one))
    for moment in (first, last, next_one):
        write(sink, moment)
    sink.close()
    assert found(tmp_path) == {f"out.202603{suffix}": [first, last], "out": [next_one]}


def test_t26_a_new_stream_goes_on_with_the_period_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("old\n")
    os.utime(path, (at("2026-03-04 22:00:00"),) * 2)
    sink = stream(tmp_path, "D")
    write(sink, "2026-03-04 23:00:00")
    write(sink, "2026-03-05 01:00:00")
    sink.close()
    assert found(tmp_path) == {
        "out.20260304": ["old", "2026-03-04 23:00:00"],
        "out": ["2026-03-05 01:00:00"],
    }


def test_utc_may_be_off_in_words(tmp_path: Path) -> None:
    for utc, suffix in (("False", "2026030405"), ("True", "2026030404")):
        folder = tmp_path / utc
        folder.mkdir()
        sink = stream(folder, "H", utc=utc)
        write(sink, "2026-03-04 05:00:00")
        write(sink, "2026-03-04 06:00:00")
        sink.close()
        assert f"out.{suffix}" in found(folder)


def test_t26_only_so_many_are_kept_and_strangers_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    others = ["out.20200101.gz", "out.2020", "out.old", "other.20200101", "xout.20200101"]
    for name in others:
        (tmp_path / name).write_text("mine\n")
    sink = TimedRotatingFileStream("out", "2", None, "D")  # relative, and as 0.19 orders them
    for day in range(1, 6):
        write(sink, f"2026-03-0{day} 12:00:00")
    sink.close()
    assert sorted(found(tmp_path)) == sorted(["out", "out.20260303", "out.20260304", *others])


def test_the_hour_that_summer_time_repeats_stays_in_one_file(tmp_path: Path) -> None:
    sink = stream(tmp_path, "H")
    write(sink, "2026-10-25 01:30:00")
    write(sink, "2026-10-25 02:30:00")
    write(sink, "2026-10-25 02:30:00", fold=1)
    write(sink, "2026-10-25 03:30:00")
    sink.close()
    assert found(tmp_path) == {
        "out.2026102501": ["2026-10-25 01:30:00"],
        "out.2026102502": ["2026-10-25 02:30:00"] * 2,
        "out": ["2026-10-25 03:30:00"],
    }


def test_t31_a_clock_that_is_put_back_a_little_ends_no_period_twice(tmp_path: Path) -> None:
    sink = stream(tmp_path, "D")
    times = ["2026-03-04 12:00:00", "2026-03-05 00:00:01", "2026-03-04 23:59:59"]
    for moment in (*times, "2026-03-05 00:00:02"):
        write(sink, moment)
    sink.close()
    assert found(tmp_path) == {
        "out.20260304": times[:1],
        "out": [*times[1:], "2026-03-05 00:00:02"],
    }


def test_t31_a_clock_that_is_put_back_far_loses_nothing(tmp_path: Path) -> None:
    sink = stream(tmp_path, "D", backup_count="4")
    for moment in ("2026-03-04 12:00:00", "2027-03-04 12:00:00", "2026-03-04 13:00:00"):
        write(sink, moment)
    write(sink, "2026-03-05 12:00:00")
    sink.close()
    assert found(tmp_path) == {
        "out.20260304": ["2026-03-04 12:00:00"],
        "out.20270304": ["2027-03-04 12:00:00"],
        "out.20260304.1": ["2026-03-04 13:00:00"],
        "out": ["2026-03-05 12:00:00"],
    }


def test_t25_copytruncate_begins_a_period(tmp_path: Path) -> None:
    sink = stream(tmp_path, "D")
    write(sink, "2026-03-04 12:00:00")
    os.truncate(tmp_path / "out", 0)
    write(sink, "2026-03-06 12:00:00")
    sink.close()
    assert found(tmp_path) == {"out": ["2026-03-06 12:00:00"]}


def test_t23_a_line_is_not_torn_by_the_end_of_a_period(tmp_path: Path) -> None:
    sink = stream(tmp_path, "D")
    record = {"pid": 1, "name": "stdout", "data": b"begun ", "timestamp": at("2026-03-04 23:59:59")}
    sink(record)
    sink({**record, "data": b"ended\n", "timestamp": at("2026-03-05 00:00:01")})
    write(sink, "2026-03-05 00:00:02")
    sink.close()
    assert found(tmp_path) == {"out.20260304": ["begun ended"], "out": ["2026-03-05 00:00:02"]}


def test_t25_a_directory_that_was_moved_stops_rotating_not_writing(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    sink = stream(folder, "D")
    write(sink, "2026-03-04 12:00:00")
    moved = folder.rename(tmp_path / "moved")
    with pytest.raises(Unwritten, match="cannot rotate") as caught:
        write(sink, "2026-03-05 12:00:00")
    assert caught.value.written == len("2026-03-05 12:00:00\n")
    folder.mkdir()
    write(sink, "2026-03-05 13:00:00")
    sink.close()
    assert found(moved) == {"out": ["2026-03-04 12:00:00", "2026-03-05 12:00:00"]}
    assert found(folder) == {"out": ["2026-03-05 13:00:00"]}


@given(st.sampled_from(sorted(UNITS)), st.integers(1, 40), st.floats(0, 4e9), st.integers(0, 10**7))
def test_time_goes_on_through_periods_each_with_a_name_of_its_own(
    when: str, interval: int, moment: float, later: int
) -> None:
    calendar = Calendar(when, interval, utc=True)
    one, other = calendar.period(moment), calendar.period(moment + later)
    assert one <= other <= one + later // calendar.length + 1
    names = [calendar.label(one), calendar.label(one + 1)]
    assert names[0] < names[1]
