"""Who gets a stream, and what they are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circus.web.board import Board
from circus.web.state import State
from circus.web.streams import CROWDED, HEARTBEAT, LONGEST, OF_ONE, UNREAD, Stream, Streams

if TYPE_CHECKING:
    from collections.abc import Iterator


class Reader:
    """Takes pieces of a stream; nothing of it blocks, for there is always news."""

    def __init__(self, most: int = 8) -> None:
        self.now = 100.0
        self.unsent = 0
        self.left = False
        self.looked = 0
        self.board = Board()
        self.streams = Streams(self.board, self.look, most, lambda: self.now)

    def look(self) -> None:
        self.looked += 1
        self.board.put(State(at=self.now))

    def open(self, whose: str = "me", last: str = "") -> Stream | None:
        return self.streams.open(whose, last, lambda: self.unsent, lambda: self.left)

    def pieces(self, last: str = "") -> Iterator[bytes]:
        """Of a stream, after what comes before all messages."""
        stream = self.open(last=last)
        assert stream is not None
        found = iter(stream)
        assert next(found) == b"retry: 1000\n\n"
        return found


def test_first_all_then_what_changes() -> None:
    reader = Reader()
    pieces = reader.pieces()
    assert b"event: snapshot" in next(pieces)
    assert b"event: delta" in next(pieces)
    assert reader.looked == 2


def test_who_was_here_gets_what_changed() -> None:
    reader = Reader()
    assert b"event: delta" in next(reader.pieces(reader.board.state.id))


def test_it_ends_after_a_while() -> None:
    reader = Reader()
    pieces = reader.pieces()
    next(pieces)
    reader.now += LONGEST
    assert list(pieces) == []


def test_the_end_of_the_console_is_its_end() -> None:
    reader = Reader()
    pieces = reader.pieces()
    next(pieces)
    reader.board.close()
    assert list(pieces) == []


def test_who_has_logged_out_is_told_nothing_more() -> None:
    reader = Reader()
    pieces = reader.pieces()
    next(pieces)
    reader.left = True
    assert list(pieces) == []


def test_a_reader_that_takes_nothing_is_sent_nothing_more() -> None:
    """It is left after some time."""
    reader = Reader()
    pieces = reader.pieces()
    next(pieces)
    reader.unsent = 5
    reader.now += UNREAD + 1
    assert list(pieces) == []


def test_while_nothing_happens_there_is_a_sign_of_life() -> None:
    reader = Reader()
    quiet = Streams(reader.board, lambda: None, 8, lambda: reader.now)
    stream = quiet.open("me", reader.board.state.id, lambda: 0, lambda: False)
    assert stream is not None
    pieces = iter(stream)
    next(pieces)
    reader.now += HEARTBEAT
    assert next(pieces) == b": still here\n\n"


def test_of_one_session_the_newest_takes_the_place_of_the_oldest() -> None:
    reader = Reader()
    streams = [reader.open() for _ in range(OF_ONE + 1)]
    assert [one is not None and one.crowded for one in streams] == [True, *[False] * OF_ONE]
    first = streams[0]
    assert first is not None
    assert list(first)[1:] == [CROWDED]


def test_who_opens_them_faster_than_they_end_gets_none() -> None:
    reader = Reader(most=100)
    streams = [reader.open() for _ in range(2 * OF_ONE + 1)]
    assert streams[-1] is None
    assert None not in streams[:-1]
    assert reader.open("you") is not None


def test_when_there_is_no_room_only_ones_own_is_taken() -> None:
    reader = Reader(most=2)
    mine, yours = reader.open("me"), reader.open("you")
    assert mine is not None
    assert yours is not None
    assert reader.open("they") is None
    assert reader.open("me") is not None
    assert mine.crowded
    assert reader.open("they") is None
    yours.close()
    yours.close()
    assert reader.open("they") is not None
