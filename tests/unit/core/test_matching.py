"""Which watchers a name stands for."""

from __future__ import annotations

import pytest

from circus.core.matching import matching
from circus.exc import MessageError, NotFound

NAMES = ("web-1", "web-2", "db", "a[1]")


@pytest.mark.parametrize(
    ("pattern", "how", "found"),
    [
        ("db", "simple", ["db"]),
        ("A[1]", "simple", ["a[1]"]),
        ("WEB-*", "glob", ["web-1", "web-2"]),
        ("*", "glob", ["a[1]", "db", "web-1", "web-2"]),
        ("web-[12]", "regex", ["web-1", "web-2"]),
        ("D", "regex", ["db"]),
        (r"WEB-\d", "regex", ["web-1", "web-2"]),
        (r"\D+$", "regex", ["db"]),
    ],
)
def test_a_pattern(pattern: str, how: str, found: list[str]) -> None:
    assert matching(NAMES, pattern, how) == found


@pytest.mark.parametrize(
    ("pattern", "how", "error", "said"),
    [
        ("web", "simple", NotFound, "program web not found"),
        ("x*", "glob", NotFound, r"program x\* not found"),
        ("(", "regex", MessageError, r"cannot read the pattern '\(': missing \)"),
        ("db", "fuzzy", MessageError, "unknown match method fuzzy"),
    ],
)
def test_what_finds_nothing_is_told(
    pattern: str, how: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=f"^{said}"):
        matching(NAMES, pattern, how)
