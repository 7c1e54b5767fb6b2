"""Counting what is dropped, and telling it neither too often nor too seldom."""

from __future__ import annotations

from circus.stream import Counts, Source
from circus.stream.ledger import TELL_AGAIN, Account

SOURCE = Source("web", 1, 100, "stdout")


class Told:
    """An account with a clock of its own, and all it has said."""

    def __init__(self) -> None:
        self.now = 0.0
        self.words: list[str] = []
        self.account = Account(lambda _source, text: self.words.append(text), lambda: self.now)


def test_bytes_and_lines_that_did_not_arrive_are_counted() -> None:
    account = Told().account
    account.dropped(SOURCE, b"one\ntwo\nthree", 5, "no room")
    assert account.counts() == Counts(0, 8, 2)
    account.dropped(SOURCE, memoryview(b"one\ntwo\n"), 8, "no room")
    assert account.counts() == Counts(0, 8, 2)


def test_trouble_is_told_at_once_then_seldom_and_its_end_once() -> None:
    told = Told()
    for _attempt in range(1000):
        told.account.dropped(SOURCE, b"x\n", 0, "no room")
    assert told.words == ["no room; 2 bytes (1 lines) dropped so far"]
    told.now += TELL_AGAIN
    told.account.dropped(SOURCE, b"x\n", 0, "no room")
    assert told.words[1:] == ["no room; 2002 bytes (1001 lines) dropped so far"]
    told.account.fine(SOURCE)
    told.account.fine(SOURCE)
    assert told.words[2:] == ["output arrives again; 2002 bytes (1001 lines) dropped so far"]


def test_a_sink_that_comes_and_goes_is_told_twice_in_a_while() -> None:
    told = Told()
    for _attempt in range(1000):
        told.account.dropped(SOURCE, b"x\n", 0, "no room")
        told.account.fine(SOURCE)
    assert len(told.words) == 2
