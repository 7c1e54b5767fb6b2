"""Whoever counts numbered lines sees each way in which one may be lost."""

from __future__ import annotations

from benchmarks.tally import Reader, Tally


def lines(name: int, *numbers: int) -> bytes:
    """As tests/children/number.py writes them."""
    return b"".join(b"%d %07d %s\n" % (name, number, b"x" * 39) for number in numbers)


def tally(*texts: bytes, copy: bytes = b"") -> Tally:
    """Of two workers that wrote six lines each."""
    reader = Reader(2, 6)
    for text in texts:
        reader.read(text)
    reader.read_copy(copy)
    return reader.result()


ALL = lines(1, *range(6))


def test_t26_files_in_any_order_are_whole() -> None:
    texts = lines(2, 3, 4), ALL + lines(2, 5), lines(2, 0, 1, 2)
    assert tally(*texts) == Tally(there=12)


def test_t26_what_is_missing_twice_torn_or_out_of_order_is_seen() -> None:
    assert tally(ALL + lines(2, 0, 1, 2, 4, 5)) == Tally(there=11, missing=1)
    assert tally(ALL + lines(2, 0, 1, 2, 2, 3, 4, 5)) == Tally(there=12, twice=1, disorder=1)
    assert tally(ALL + lines(2, 0, 2, 1, 3, 4, 5)) == Tally(there=12, disorder=1)
    assert tally(ALL, lines(2, 0, 1, 4), lines(2, 2, 3, 5)) == Tally(there=12, disorder=1)
    torn = ALL + lines(2, 0, 1, 2, 3, 4) + lines(2, 5)[:9] + b"\n"
    assert tally(torn) == Tally(there=11, missing=1, torn=1)


def test_t25_a_hole_behind_a_copy_is_told_from_another() -> None:
    copy = lines(1, 0, 1) + lines(2, 0, 1) + lines(1, 2)[:-1]  # copied within a line
    rest = lines(1, 4, 5) + lines(2, 2, 3, 5)
    assert tally(rest, copy=copy) == Tally(there=9, missing=3, cut=2)
