"""Whatever a sink does: what came was written, or was dropped and told."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circus.stream import Pump, Source, Unwritten
from circus.stream.beside import beside
from tests.support import wait_until

if TYPE_CHECKING:
    from circus.stream import Trouble

BLOCKS = st.builds(
    lambda text, times: text * times,
    st.binary(max_size=40).map(lambda text: text.replace(b"\0", b"\n")),
    st.sampled_from([1, 7, 1000, 30_000]),
)
DEEDS = st.tuples(
    st.sampled_from(["take", "refuse", "wait", "hurry", "wait for ever", "break"]),
    st.floats(0, 1),
)


class Whimsical:
    """Takes what it likes of each record, as it is told; in the end everything."""

    prompt = True

    def __init__(self, deeds: list[tuple[str, float]]) -> None:
        self._deeds = iter(deeds)
        room, (no_room, other) = os.eventfd(0), os.pipe()
        self._open = (room, no_room, other)
        self._full: dict[str, tuple[int | None, float | None]] = {
            "refuse": (None, None),
            "wait": (room, None),
            "hurry": (room, 0),
            "wait for ever": (no_room, 0),  # to read from, so there is never room to write
        }
        self.taken = 0

    def dispose(self) -> None:
        """Nothing leads here any more."""
        for fd in self._open:
            os.close(fd)

    def __call__(self, record: dict[str, Any]) -> None:
        deed, share = next(self._deeds, ("take", 1.0))
        size = len(record["data"])
        if deed == "break":
            raise RuntimeError("broken")
        took = size if deed == "take" else int(size * share)
        self.taken += took
        if deed != "take":
            fd, patience = self._full[deed]
            raise Unwritten("no", written=took, full=fd, patience=patience)


class Slow(Whimsical):
    """The same called in a lane."""


@pytest.mark.parametrize(
    ("kind", "backend"), [(Whimsical, "thread"), (Slow, "thread"), (Slow, "gevent")]
)
@settings(deadline=None, max_examples=40)
@given(
    workers=st.lists(st.lists(BLOCKS, max_size=6), min_size=1, max_size=3),
    deeds=st.lists(DEEDS, max_size=12),
)
def test_nothing_is_lost_that_is_not_counted(
    kind: type[Whimsical],
    backend: str,
    workers: list[list[bytes]],
    deeds: list[tuple[str, float]],
) -> None:
    told: list[Trouble] = []
    sink = kind(deeds)
    pump = Pump(told.append, lanes_in=beside(backend))
    pump.start()
    for number, blocks in enumerate(workers):
        reading, writing = os.pipe2(os.O_CLOEXEC)
        pump.attach(reading, sink, Source("w", number, number, "stdout"))
        with open(writing, "wb") as file:
            file.writelines(blocks)
    size = sum(len(block) for blocks in workers for block in blocks)
    wait_until(lambda: sum(one.bytes_in for one in pump.counts().values()) == size)
    pump.close(within=0.01)
    counts = pump.counts()["w", "stdout"]
    assert size == counts.bytes_in == counts.bytes_out + counts.lost.size
    assert counts.bytes_out == sink.taken
    assert sum(one.lost.lines for one in told) == counts.lost.lines
    assert sum(one.lost.size for one in told) == counts.lost.size
    sink.dispose()
