"""Counting what is dropped, and telling it neither too often nor too seldom."""

from __future__ import annotations

from circus.stream import Counts, Loss
from circus.stream.ledger import OTHER_REASONS, QUIET, REASONS_MAX, TELL_AGAIN, Ledger


class Told:
    """A ledger with a clock of its own, all it has said, and the account of one stream."""

    def __init__(self) -> None:
        self.now = 0.0
        self.words: list[str] = []
        self.ledger = Ledger(self._hear, lambda: self.now)
        self.account = self.ledger.account("web", "stdout")

    def _hear(self, trouble: object) -> None:
        self.words.append(str(trouble))

    def pass_time(self, seconds: float) -> None:
        """Whoever waits for the moments that the ledger names looks after it at each."""
        until = self.now + seconds
        while (moment := min(self.ledger.moments(), default=until)) < until:
            self.now = max(self.now, moment)
            self.ledger.settle()
        self.now = until
        self.ledger.settle()


def test_what_did_not_arrive_is_counted_by_reason() -> None:
    account = Told().account
    account.bytes_in = 13
    account.wrote(5, everything=False)
    account.drop(b"wo\nthree", "no room")
    assert account.counts() == Counts(13, 5, {"no room": Loss(2, 8)})
    account.drop(memoryview(b"one\n"), "no room")
    account.drop(b"two\n", "too many")
    counts = account.counts()
    assert counts.dropped == {"no room": Loss(3, 12), "too many": Loss(1, 4)}
    assert counts.lost == Loss(4, 16)


def test_reasons_that_differ_each_time_take_no_memory() -> None:
    told = Told()
    for number in range(1000):
        told.account.drop(b"x\n", f"error {number}")
        told.account.trouble(f"other error {number}")
    counts = told.account.counts()
    assert len(counts.dropped) == REASONS_MAX + 1
    assert counts.dropped[OTHER_REASONS] == Loss(1000 - REASONS_MAX, 2 * (1000 - REASONS_MAX))
    told.ledger.close()
    assert told.words[-1].startswith("1000 lines of web dropped from stdout (")
    assert len(told.words[-1]) < 500


def test_trouble_is_told_at_once_then_seldom_and_its_end_once() -> None:
    told = Told()
    for _attempt in range(1000):
        told.account.drop(b"x\n", "no room")
    assert told.words == ["web: trouble with stdout: no room"]
    told.pass_time(TELL_AGAIN)
    assert told.words[1:] == ["1000 lines of web dropped from stdout (no room)"]
    told.pass_time(TELL_AGAIN / 2)
    assert told.words[2:] == []
    told.account.drop(b"x\n", "no room")
    told.account.wrote(2, everything=True)
    told.pass_time(QUIET)
    told.pass_time(TELL_AGAIN)
    assert told.words[2:] == ["1 line of web dropped from stdout (no room); it is written again"]
    assert told.ledger.moments() == []


def test_a_sink_that_comes_and_goes_is_one_trouble() -> None:
    told = Told()
    for _attempt in range(1000):
        told.account.drop(b"x\n", "no room")
        told.account.wrote(2, everything=True)
        told.pass_time(QUIET / 2)
    told.pass_time(QUIET)
    assert len(told.words) == 1 + 500 * QUIET // TELL_AGAIN + 1
    assert sum(int(word.split()[0]) for word in told.words[1:]) == 1000
    assert told.words[-1].endswith("it is written again")


def test_trouble_that_loses_nothing_has_an_end_too() -> None:
    told = Told()
    told.account.trouble("not now")
    told.pass_time(10 * TELL_AGAIN)
    told.account.wrote(2, everything=True)
    told.pass_time(0)
    assert told.words == ["web: trouble with stdout: not now", "web: stdout is written again"]


def test_at_the_end_nothing_is_left_untold() -> None:
    told = Told()
    told.account.drop(b"x\n", "no room")
    told.ledger.forget("web")
    assert told.ledger.counts() == {}
    told.ledger.close()
    assert told.words[1:] == ["1 line of web dropped from stdout (no room)"]
