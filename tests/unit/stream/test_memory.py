"""Output in a queue."""

from __future__ import annotations

from queue import Full

import pytest

from circus.stream import Empty, Queue, QueueStream


def record(size: int) -> dict[str, object]:
    return {"pid": 1, "name": "stdout", "data": b"x" * size}


def test_it_is_a_queue_of_records() -> None:
    stream = QueueStream()
    assert isinstance(stream, Queue)
    stream(record(3))
    assert stream.get_nowait() == record(3)
    with pytest.raises(Empty):
        stream.get_nowait()


def test_a_queue_nobody_empties_refuses_at_its_limit() -> None:
    stream = QueueStream(limit_bytes="10")
    stream(record(6))
    with pytest.raises(Full, match="nobody empties this queue; it holds 6 bytes"):
        stream(record(6))
    stream.get_nowait()
    stream(record(20))  # alone, anything has room
    assert stream.qsize() == 1
