"""Work that may take its time, in threads of its own."""

from __future__ import annotations

import threading

import pytest

from circus.aside import within


def test_what_is_done_in_time_is_told_and_what_is_raised_too() -> None:
    def fails() -> None:
        raise LookupError("nothing there")

    assert within(60, lambda: 7) == 7
    with pytest.raises(LookupError, match=r"^nothing there$"):
        within(60, fails)


def test_nobody_waits_longer_than_that() -> None:
    over = threading.Event()
    with pytest.raises(TimeoutError):
        within(0.01, over.wait)
    over.set()
