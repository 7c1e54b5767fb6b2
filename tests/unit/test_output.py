"""Where the output of a worker goes that nobody leads anywhere."""

from __future__ import annotations

import os

import pytest

from circus.output import unless_given


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_the_journal_is_asked_for_or_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = os.fstat({"stdout": 1, "stderr": 2}[name])
    for told, seen in ((f"{ours.st_dev}:{ours.st_ino}", True), ("1:1", False)):
        monkeypatch.setenv("JOURNAL_STREAM", told)
        assert bool(unless_given(name, journal=None)) is seen
        assert unless_given(name, journal=True) == {"class": "JournalStream"}
        assert unless_given(name, journal=False) == {}
