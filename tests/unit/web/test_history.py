"""What was used, and how much room that takes."""

from __future__ import annotations

import tracemalloc

import pytest

from circus.web.history import DAY, NAMES, OWN, RECENT, History, Ring, Span, Used

NOW = 1_790_000_000.0
WEB = {"web": Used(2.0, 1000)}


def test_samples_of_a_step_are_one_mean() -> None:
    ring = Ring(Span(40, 4))
    for at, cpu in ((NOW, 1.0), (NOW + 1, 2.0), (NOW + 3, 6.0), (NOW + 4, 5.0)):
        ring.add(at, Used(cpu, 100))
    assert ring.read(NOW + 4, 40) == {
        "step": 4,
        "at": [NOW, NOW + 4],
        "cpu": [3.0, 5.0],
        "rss": [100, 100],
    }


def test_what_is_not_known_is_a_gap() -> None:
    ring = Ring(Span(40, 4))
    ring.add(NOW, Used(None, 100))
    ring.add(NOW + 12, Used(1.0, None))
    found = ring.read(NOW + 16, 40)
    assert found["cpu"] == [None, None, None, 1.0, None]
    assert found["rss"] == [100, None, None, None, None]


def test_it_goes_around() -> None:
    ring = Ring(Span(40, 4))
    for number in range(35):
        ring.add(NOW + 4 * number, Used(float(number), number))
    found = ring.read(NOW + 4 * 34, 40)
    assert found["cpu"] == list(range(25, 35))
    assert ring.read(NOW + 4 * 34, 12)["cpu"] == [32, 33, 34]
    assert ring.size == 2 * 4 * 10


@pytest.mark.parametrize("jump", [-4000.0, 4000.0])
def test_a_clock_that_was_set_begins_anew(jump: float) -> None:
    ring = Ring(Span(40, 4))
    ring.add(NOW, Used(1.0, 1))
    ring.add(NOW + jump, Used(2.0, 2))
    assert ring.read(NOW + jump, 40)["cpu"] == [2.0]


def test_nothing_is_known_yet() -> None:
    assert Ring(RECENT).read(NOW, 600)["at"] == []
    assert History().read("web", NOW, 600) is None


def test_the_span_decides_how_fine_it_is() -> None:
    history = History()
    history.add(NOW, {OWN: Used(1.0, 1), **WEB})
    assert history.read("web", NOW, 600)["step"] == RECENT.step  # type: ignore[index]
    found = history.read(OWN, NOW, 86400)
    assert found is not None
    assert (found["step"], found["cpu"]) == (DAY.step, [1.0])


def test_who_is_gone_is_kept_until_there_is_no_room() -> None:
    history = History(names=2)
    history.add(NOW, {"a": Used(1.0, 1)})
    history.add(NOW + 1, {"b": Used(1.0, 1)})
    history.add(NOW + 2, {"c": Used(1.0, 1), "d": Used(1.0, 1), "e": Used(1.0, 1)})
    assert [name for name in "abcde" if history.read(name, NOW + 2, 600)] == ["c", "d"]


def test_its_memory_is_bounded() -> None:
    """As the module says; measured with a hundredth of the names, and the rings full."""
    tracemalloc.start()
    history = History()
    names = {f"watcher-{number}": Used(1.0, 1000) for number in range(NAMES // 100)}
    steps = DAY.seconds // DAY.step
    for number in range(steps + 10):
        history.add(NOW + DAY.step * number, names)
    for number in range(RECENT.seconds // RECENT.step):
        history.add(NOW + DAY.step * (steps + 10) + RECENT.step * number, names)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert history.size == len(names) * 13_920
    assert size < len(names) * 13_920 * 1.5
