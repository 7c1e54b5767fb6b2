"""A daemon that has worked much holds what it held before."""

from __future__ import annotations

import pytest

from benchmarks.soak import SHORT, soak


@pytest.mark.timeout(400)  # twice as many rounds, on a machine that is busy
def test_t36_it_stays_as_it_is() -> None:
    """The short form of `make soak`: commands, clients, subscribers, workers, lines."""
    assert soak(SHORT) == []
