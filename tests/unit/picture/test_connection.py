"""Who may hear statistics alone has nobody to ask, and is told so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import zmq

from circus.exc import CallError
from circus.picture.connection import Connection, Where
from circus.reach import Reach
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Connection]:
    """A connection of which only the endpoint of statistics is named."""
    where = Where(f"ipc://{tmp_path}/nowhere", f"ipc://{tmp_path}/stats")
    with zmq.Context() as context, Connection(where, Reach(), context, 1.0) as connection:
        yield connection


def test_nobody_is_asked(alone: Connection) -> None:
    for ask in (lambda: alone.ask("status"), alone.measure):
        with pytest.raises(CallError, match=r"^there is no circusd to tell this$"):
            ask()
    assert alone.explain() == ()
    assert alone.snapshot().watchers == ()


def test_where_nobody_publishes_that_is_told(alone: Connection, tmp_path: Path) -> None:
    with pytest.raises(CallError, match=f"^Nobody publishes statistics at ipc://{tmp_path}/stats$"):
        alone.subscribe()


def test_what_cannot_be_listened_to_costs_no_descriptor(alone: Connection) -> None:
    alone.listener("tcp://127.0.0.1:1", "").close()  # ZeroMQ has its threads from now on
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with pytest.raises(zmq.ZMQError):
            alone.listener("nonsense", "")
    wait_until(lambda: len(os.listdir("/proc/self/fd")) <= before)
