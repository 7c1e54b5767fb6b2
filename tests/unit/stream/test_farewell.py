"""The dead wait for what they said to be read, and for their sink to be done with it."""

from __future__ import annotations

from circus.stream import Source
from circus.stream.farewell import LOOK, LOOKS, Farewells

OUT = Source("w", 1, 7, "stdout")
ERR = Source("w", 1, 7, "stderr")


class Story:
    """Farewells with a clock of their own, of a worker whose two streams are to be read."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls = 0
        self.farewells = Farewells(lambda: self.now)
        for source in (OUT, ERR):
            self.farewells.expect(source)
        self.farewells.call(7, self._collect)

    def _collect(self) -> None:
        self.calls += 1

    def collected(self) -> bool:
        """Whether it may be; that is told once."""
        return self.calls == 1

    def look(self) -> None:
        """The next moment has come."""
        (self.now,) = self.farewells.moments()
        self.farewells.look(self.now)


def test_both_streams_are_read_first() -> None:
    story = Story()
    story.farewells.read(OUT, None)
    assert story.farewells.expects(7)
    assert not story.collected()
    story.farewells.read(ERR, None)
    assert story.collected()
    assert not story.farewells.expects(7)
    assert story.farewells.moments() == []


def test_one_that_nobody_expects_is_not_waited_for() -> None:
    farewells = Farewells()
    called: list[int] = []
    farewells.read(OUT, lambda: False)
    farewells.call(7, lambda: called.append(7))
    assert called == [7]
    assert farewells.moments() == []


def test_a_sink_has_to_be_settled_twice_in_a_row() -> None:
    story = Story()
    answers = iter([False, True, False, True, True])
    story.farewells.read(OUT, None)
    story.farewells.read(ERR, lambda: next(answers))
    for _ in range(4):
        story.farewells.look(story.now)  # too early to ask
        story.look()
        assert not story.collected()
    story.look()
    assert story.collected()
    assert story.now == 5 * LOOK


def test_a_sink_that_is_always_busy_or_gone_is_not_waited_for_long() -> None:
    story = Story()

    def gone() -> bool:
        raise OSError("closed")

    story.farewells.read(OUT, gone)
    story.farewells.read(ERR, lambda: False)
    for _ in range(LOOKS):
        assert not story.collected()
        story.look()
    assert story.collected()
