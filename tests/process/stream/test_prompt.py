"""Sinks of users that say that they never block."""

from __future__ import annotations

import os
import select
import threading
from typing import TYPE_CHECKING, Any

import pytest

from circus.stream import Counts, Loss, Pump, Source, Unwritten
from tests.support import wait_until

if TYPE_CHECKING:
    from tests.process.stream.conftest import Bench

MOST = 2**64 - 2
"""As much as the counter of an eventfd can hold."""


class Prompt:
    """Full for ever; or it blocks all the same, until it may go on."""

    prompt = True

    def __init__(self, full: int | None = None) -> None:
        self.full = full
        self.called, self.go = threading.Event(), threading.Event()

    def __call__(self, record: dict[str, Any]) -> None:
        self.called.set()
        if self.full is None:
            self.go.wait()
        else:
            raise Unwritten("no room", written=1, full=self.full)


@pytest.mark.parametrize("full", [-1, 1 << 20])
def test_a_sink_that_names_no_descriptor_of_its_own_is_not_waited_for(
    bench: Bench, full: int
) -> None:
    bench.feed(Prompt(full), b"one\n")
    bench.finish()
    assert bench.pump.counts()["w", "stdout"] == Counts(4, 1, {"no room": Loss(1, 3)})
    assert bench.told[-1] == "1 line of w dropped from stdout (no room)"


def test_a_sink_that_blocks_although_it_said_it_would_not_is_left_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pump, sink = Pump(lambda trouble: None), Prompt()
    pump.start()
    reading, writing = os.pipe()
    pump.attach(reading, sink, Source("w", 1, 1, "stdout"))
    os.write(writing, b"one\n")
    assert sink.called.wait(20)
    pump.close(within=0.1)
    assert caplog.messages == ["Cannot end output: a sink has been blocking for 0.1 s"]
    assert pump.alive
    sink.go.set()
    os.close(writing)
    wait_until(lambda: not pump.alive)
    pump.close(within=0.1)


class Shares:
    """Writes to the same place as another sink does."""

    place = "one"

    def __init__(self, full: int) -> None:
        self.full, self.calls = full, 0

    def __call__(self, record: dict[str, Any]) -> None:
        self.calls += 1
        if not select.select([], [self.full], [], 0)[1]:
            raise Unwritten("no room", full=self.full)


class Full(Shares):
    """It is called by the pump."""

    prompt = True


class Slow(Shares):
    """It is called beside the pump, and blocks until it may go on."""

    def __init__(self) -> None:
        self.called, self.go = threading.Event(), threading.Event()

    def __call__(self, record: dict[str, Any]) -> None:
        self.called.set()
        self.go.wait()


def test_a_full_place_is_not_tried_again_because_another_sink_is_done_with_it(
    bench: Bench,
) -> None:
    counter = os.eventfd(0)
    os.eventfd_write(counter, MOST)  # so that there is no room
    full, slow = Full(counter), Slow()
    bench.feed(slow, b"slow\n", pid=1)
    assert slow.called.wait(20)
    end = bench.pipe(full, pid=2, name="stderr")
    os.write(end, b"one\n")
    wait_until(lambda: full.calls)
    slow.go.set()
    wait_until(lambda: bench.pump.counts()["w", "stdout"].bytes_out)
    os.close(end)
    wait_until(lambda: not bench.pump._orders)
    assert full.calls == 1
    os.eventfd_read(counter)
    bench.finish()
    assert full.calls == 2
    assert bench.pump.counts()["w", "stderr"] == Counts(4, 4)
    os.close(counter)
