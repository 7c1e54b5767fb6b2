"""One line of output, and what can be told about it from its text."""

from __future__ import annotations

import re
import time
from typing import NamedTuple

SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""As syslog numbers them, from 0 on."""
_WORDS = {
    "emergency": "emerg", "critical": "crit", "fatal": "crit", "error": "err", "warn": "warning",
    "trace": "debug", **{one: one for one in SEVERITIES},
}  # fmt: skip
_WORD = re.compile(rf"\b({'|'.join(_WORDS)})\b", re.IGNORECASE)
_WITHIN = 100
"""Characters in which programs say how severe it is."""


class Line(NamedTuple):
    """As answers have it."""

    stream: str
    """`stdout`, `stderr`, or `output` where both are one."""
    text: str
    """Without the time that a stream has put before it, which is `at`."""
    at: float | None = None
    """Seconds since 1970, where it is known."""
    severity: str | None = None


class Stamps:
    """The times that `time_format` has put before lines; None where there is no such option."""

    def __init__(self, time_format: str | None) -> None:
        self._format = time_format

    def of(self, text: str) -> float | None:
        """When this line was written, in seconds since 1970; None when it does not say."""
        stamp, bracket, _rest = text.partition(" [")
        if self._format is None or not bracket:
            return None
        try:
            return time.mktime(time.strptime(stamp, self._format))
        except (ValueError, OverflowError):
            return None

    @property
    def known(self) -> bool:
        """Whether there are any."""
        return self._format is not None


def line(stream: str, data: bytes, stamps: Stamps) -> Line:
    """From what is in a file; what is not UTF-8 is replaced."""
    text = data.decode("utf-8", "replace")
    at = stamps.of(text)
    return Line(stream, text if at is None else without_stamp(text), at, severity(text))


def without_stamp(text: str) -> str:
    """A line that has one, from the pid in brackets on."""
    return "[" + text.partition(" [")[2]


def severity(text: str) -> str | None:
    """What a program says of its line: `[ERROR]`, `level=warn`, `INFO:` and the like."""
    found = _WORD.search(text, 0, _WITHIN)
    return _WORDS[found[1].lower()] if found else None
