"""Who was told what, and who comes back."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from circus.web.board import KEPT_BYTES, LONGEST, Board, Told
from circus.web.deltas import merged
from circus.web.state import State, WatcherState

if TYPE_CHECKING:
    from collections.abc import Callable


def read(told: Told) -> list[tuple[str, str, dict[str, Any]]]:
    """(id, event, data) of each message."""
    found = []
    for message in told.text.decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in message.split("\n"))
        found.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return found


def states(*names: str, at: float = 1.0) -> State:
    return State(at=at, live=True, watchers={name: WatcherState("active") for name in names})


def test_who_knows_nothing_gets_everything() -> None:
    board = Board()
    board.put(states("web"))
    ((message_id, event, data),) = read(board.after(None))
    assert event == "snapshot"
    assert data == board.state.as_json()
    assert data["id"] == message_id == board.state.id
    assert data["watchers"]["web"]["state"] == "active"


def test_who_comes_back_gets_what_was_missed() -> None:
    board = Board()
    board.put(states("web"))
    first = board.after(None)
    known = read(first)[0][2]
    board.put(states("web", "app", at=2.0))
    board.happened("watcher.web.spawn", {"wid": 1}, 2.5, 10)
    board.put(states("app", at=3.0))
    told = read(board.after(board.number(known["id"])))
    assert [event for _, event, _ in told] == ["delta", "happened", "delta"]
    for _, event, data in told:
        if event == "delta":
            known = merged(known, data)
    assert known == board.state.as_json()
    assert told[1][2] == {"topic": "watcher.web.spawn", "message": {"wid": 1}, "at": 2.5}
    assert board.after(board.number(told[-1][0])).text == b""


def test_who_missed_too_much_begins_anew() -> None:
    board = Board()
    board.put(states("web"))
    old = board.after(None).last
    for number in range(100):
        board.happened("x" * (KEPT_BYTES // 50), {"number": number}, 1.0, 10)
    told = board.after(old)
    assert [event for _, event, _ in read(told)] == ["snapshot"]
    assert read(told)[0][0] == f"{board.state.id.partition('-')[0]}-{told.last}"
    assert len(board.after(told.last - 40).text) <= KEPT_BYTES


@pytest.mark.parametrize("stranger", ["", "-", "1", "abc-1", "{epoch}-", "{epoch}-x", "{epoch}-²"])
def test_ids_that_are_not_ours_are_none(stranger: str) -> None:
    board = Board()
    epoch = board.state.id.partition("-")[0]
    assert board.number(stranger.format(epoch=epoch)) is None
    assert board.number(f"{epoch}-7") == 7


def test_an_id_of_the_future_begins_anew() -> None:
    assert b"event: snapshot" in Board().after(99).text


def test_of_a_long_event_only_the_topic_is_told() -> None:
    board = Board()
    board.happened("watcher.w.hook_failure", {"error": "x" * LONGEST}, 1.0, LONGEST + 1)
    assert read(board.after(0))[0][2]["message"] == {}


def test_a_reader_is_woken_by_news_and_by_the_end() -> None:
    board = Board()
    wakers: list[Callable[[], None]] = [lambda: board.put(states("web")), board.close]
    for waker in wakers:
        last = board.after(None).last
        thread = threading.Thread(target=board.wait, args=(last, 60.0))
        thread.start()
        while thread.is_alive():  # it may not have begun to wait
            waker()
            thread.join(0.01)
    board.wait(board.after(None).last, 60.0)
    board.pause()
