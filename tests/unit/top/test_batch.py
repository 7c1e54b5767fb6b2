"""Which of all that comes becomes a table where nobody looks on."""

from __future__ import annotations

import queue

import pytest

from circus.exc import CallError
from circus.picture.model import Process, Slot, Snapshot, Watcher
from circus.top.feed import News
from circus.top.program import snapshots
from tests.unit.top.shown import SNAPSHOT


def told(*news: News) -> queue.SimpleQueue[News]:
    found: queue.SimpleQueue[News] = queue.SimpleQueue()
    for one in news:
        found.put(one)
    return found


def test_a_table_is_whole_and_one_of_its_second() -> None:
    unmeasured = Snapshot((Watcher("w", "active", (Slot(1, "ready", (), Process(5)),)),))
    tables = snapshots(told(News(unmeasured), News(SNAPSHOT), News(SNAPSHOT)), 0.01)
    assert next(tables) is SNAPSHOT
    with pytest.raises(CallError, match=r"^nothing has come to be shown$"):
        next(tables)


def test_why_there_are_none_is_told() -> None:
    tables = snapshots(told(News(SNAPSHOT), News(source="Timed out.")))
    assert next(tables) is SNAPSHOT
    with pytest.raises(CallError, match=r"^Timed out\.$"):
        next(tables)
