"""Which watchers the overview lists, and in what order."""

from typing import Any

import falcon.testing
import pytest

from circus.web.pages.rows import Query, Tone, listed, rows_of, tally, tone
from circus.web.state import WatcherState


def told(state: str = "active", **other: Any) -> WatcherState:
    return WatcherState(state, **other)


def asked(query: str) -> Query:
    return Query.of(falcon.testing.create_req(query_string=query))


WATCHERS = {
    "web": told(cpu=3.0, group="front"),
    "api": told(cpu=None),
    "db": told("stopped"),
    "Old": told(cpu=9.0, trouble="1 of 1 backs off"),
}


def names(query: str) -> list[str]:
    return [row.name for row in listed(rows_of(WATCHERS), asked(query))]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["api", "db", "Old", "web"]),
        ("sort=-name", ["web", "Old", "db", "api"]),
        ("sort=-cpu", ["Old", "web", "api", "db"]),
        ("sort=state", ["Old", "api", "web", "db"]),
        ("sort=nonsense", ["api", "db", "Old", "web"]),
        ("filter=O", ["Old", "web"]),
        ("show=stopped", ["db"]),
        ("show=nonsense&filter=e", ["web"]),
    ],
)
def test_the_address_says_which(query: str, expected: list[str]) -> None:
    assert names(query) == expected


def test_headings_turn_the_order_around() -> None:
    query = asked("sort=-cpu&filter=a%26b")
    assert query.sorted_by("cpu") == "/?sort=cpu&filter=a%26b"
    assert query.sorted_by("name") == "/?filter=a%26b"
    assert query.sorted_by("restarts") == "/?sort=-restarts&filter=a%26b"
    assert asked("").sorted_by("name") == "/?sort=-name"


def test_several_may_be_selected() -> None:
    assert asked("select=a&select=b%2Cc").select == {"a", "b,c"}


@pytest.mark.parametrize(
    ("watcher", "expected"),
    [
        (told(), Tone.FINE),
        (told("starting"), Tone.BUSY),
        (told(progress="waits for db"), Tone.BUSY),
        (told("stopped"), Tone.OFF),
        (told("frozen"), Tone.FROZEN),
        (told("stopped", trouble="start hook failed"), Tone.TROUBLE),
    ],
)
def test_tones(watcher: WatcherState, expected: Tone) -> None:
    assert tone(watcher) is expected


def test_the_tally_names_every_tone() -> None:
    assert tally(rows_of(WATCHERS)) == {
        Tone.TROUBLE: 1, Tone.BUSY: 0, Tone.FROZEN: 0, Tone.FINE: 2, Tone.OFF: 1,
    }  # fmt: skip
