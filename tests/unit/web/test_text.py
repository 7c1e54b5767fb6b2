"""Numbers and moments in words."""

import time

import pytest

from circus.web.pages import text


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (None, text.UNKNOWN),
        (0, "0 kB"),
        (999_400, "999 kB"),
        (33_000_000, "33.0 MB"),
        (1_240_000_000, "1.2 GB"),
        (5e12, "5.0 TB"),
    ],
)
def test_sizes(octets: float | None, words: str) -> None:
    assert text.size(octets) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, text.UNKNOWN),
        (-1, "0 s"),
        (59.9, "59 s"),
        (250, "4 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_spans(seconds: float | None, words: str) -> None:
    assert text.span(seconds) == words


def test_a_moment_of_another_day_has_its_date() -> None:
    assert len(text.clock(time.time())) == len("12:34:56")
    assert text.clock(time.time() - 3 * 86400).count("-") == 2
    assert text.clock(None) == text.UNKNOWN


def test_counts() -> None:
    assert text.count(1, "worker") == "1 worker"
    assert text.count(2, "child", "children") == "2 children"
