"""Sinks that take their time hold up nobody else."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from circus.config.model import CircusConfig
from circus.exc import CircusError
from circus.stream import Counts, FileStream, Loss, Pump, QueueStream, Source
from circus.stream.beside import SPARE, Threads, beside, survey_backend
from circus.stream.lane import LANE_BYTES, Lane
from circus.stream.ledger import Ledger
from circus.stream.pipe import BUSY_BYTES, LINE_BYTES
from tests.process.stream.conftest import bench_of
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from circus.stream.ledger import Trouble
    from tests.process.stream.conftest import Bench

gevent = importlib.import_module("gevent")

LINES = b"".join(b"%06d\n" % number for number in range(100_000))


class Waits:
    """A user's sink: it takes nothing before it may go on."""

    def __init__(self) -> None:
        self.called, self.go = threading.Event(), threading.Event()
        self.got = bytearray()
        self.told: list[str] = []

    def wait(self) -> None:
        self.called.set()
        self.go.wait()

    def __call__(self, record: dict[str, Any]) -> None:
        self.wait()
        self.got += record["data"]
        self.told.append("line")

    def open(self) -> None:
        self.told.append("open")

    def reopen(self) -> None:
        self.told.append("reopen")

    def ended(self) -> None:
        self.told.append("ended")

    def close(self) -> None:
        self.told.append("close")


class WaitsForGevent(Waits):
    """The same in gevent's way."""

    def wait(self) -> None:
        self.called.set()
        while not self.go.is_set():
            gevent.sleep(0.001)


@pytest.fixture(params=["thread", "gevent"])
def lanes(request: pytest.FixtureRequest) -> Iterator[tuple[Bench, Waits]]:
    """A bench of either backend, and a sink that keeps it waiting."""
    sink = Waits() if request.param == "thread" else WaitsForGevent()
    with bench_of(request.param) as bench:
        yield bench, sink
        sink.go.set()


def in_background(bench: Bench, sink: Any, data: bytes, pid: int) -> threading.Thread:
    """Write it all, however long that takes."""
    thread = threading.Thread(target=bench.feed, args=(sink, data, pid))
    thread.start()
    return thread


def test_a_sink_that_blocks_holds_up_its_own_worker_only(
    lanes: tuple[Bench, Waits], tmp_path: Path
) -> None:
    bench, slow = lanes
    path, other, queue = tmp_path / "out", Waits(), QueueStream()
    blocked = in_background(bench, slow, LINES * 5, 1)
    slow.called.wait()
    other.go.set()
    bench.feed(FileStream(str(path)), LINES, pid=2)
    bench.feed(other, LINES, pid=3)
    bench.feed(queue, b"line\n", pid=4)
    assert queue.get(timeout=20)["data"] == b"line\n"
    wait_until(lambda: path.stat().st_size == len(other.got) == len(LINES))
    assert not slow.got
    assert blocked.is_alive()  # what waits for it is bounded
    in_here = bench.pump.counts()["w", "stdout"].bytes_in - 2 * len(LINES) - len(b"line\n")
    assert in_here <= LANE_BYTES + LINE_BYTES + 2 * BUSY_BYTES
    slow.go.set()
    blocked.join()
    bench.finish()
    assert slow.got == LINES * 5
    assert path.read_bytes() == other.got == LINES


def test_what_a_sink_is_told_comes_in_order(lanes: tuple[Bench, Waits]) -> None:
    bench, slow = lanes
    end = bench.pipe(slow, pid=7)
    os.write(end, b"one\n")
    slow.called.wait()
    bench.pump.reopen()
    bench.pump.ended(7)
    wait_until(lambda: not bench.pump._orders)  # it might see the end of the pipe first
    os.close(end)
    wait_until(lambda: not bench.pump._pipes)
    next_one = bench.pipe(slow, pid=8)  # before the first is done
    os.write(next_one, b"two\n")
    os.close(next_one)
    slow.go.set()
    bench.finish()
    assert slow.told == ["open", "line", "reopen", "ended", "close", "open", "line", "close"]
    assert slow.got == b"one\ntwo\n"


def test_a_stream_is_led_away_from_a_sink_that_blocks(lanes: tuple[Bench, Waits]) -> None:
    bench, slow = lanes
    queue = QueueStream()
    end = bench.pipe(slow)
    os.write(end, b"one\n")
    slow.called.wait()
    bench.pump.change("w", "stdout", queue)
    os.write(end, b"two\n")
    os.close(end)
    assert queue.get(timeout=20)["data"] in (b"two\n", b"one\ntwo\n")
    slow.go.set()
    bench.finish()
    assert slow.got == b"one\n"


def test_what_a_busy_sink_has_not_taken_at_the_end_is_counted() -> None:
    told: list[str] = []
    pump, slow = Pump(lambda trouble: told.append(str(trouble))), Waits()
    reading, writing = os.pipe()
    pump.attach(reading, slow, Source("w", 1, 1, "stdout"))
    pump.start()
    os.write(writing, b"one\n")
    slow.called.wait()
    os.write(writing, b"two\nthree\n")
    os.close(writing)
    before = time.monotonic()
    pump.close(within=0.1)
    assert time.monotonic() - before < 10
    why = "circusd ends, its sink is busy"
    assert pump.counts() == {("w", "stdout"): Counts(14, 0, {why: Loss(3, 14)})}
    assert told[-1] == f"3 lines of w dropped from stdout ({why})"
    slow.go.set()


def test_threads_that_have_nothing_to_do_end() -> None:
    threads, go, begun = Threads(), threading.Event(), threading.Semaphore(0)
    used: set[threading.Thread] = set()

    def work() -> None:
        used.add(threading.current_thread())
        begun.release()
        go.wait()

    def alive() -> int:
        return sum(thread.is_alive() for thread in used)

    for _number in range(20):
        threads(work)
    for _number in range(20):
        assert begun.acquire(timeout=20)
    assert alive() == 20
    go.set()
    wait_until(lambda: alive() == SPARE)
    threads(work)
    assert begun.acquire(timeout=20)
    assert len(used) == 20  # one of those that wait has done it
    threads.close()
    wait_until(lambda: not alive())


@pytest.mark.parametrize("backend", ["thread", "gevent"])
def test_work_that_goes_on_and_on_leaves_others_their_turn(backend: str) -> None:
    run, others, ended = beside(backend), threading.Event(), threading.Event()

    def go_on() -> bool:
        over = others.is_set()
        if over:
            ended.set()
        return not over

    run(go_on)
    run(others.set)
    assert ended.wait(20)
    run.close()
    wait_until(lambda: "gevent" not in {thread.name for thread in threading.enumerate()})


def test_without_gevent_it_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gevent", None)
    with pytest.raises(CircusError, match=r"needs gevent, which circus\[gevent\] brings: .*gevent"):
        beside("gevent")
    (one,) = survey_backend(CircusConfig(stream_backend="gevent"), lambda *place: " ".join(place))
    assert one.where == "circus stream_backend"
    assert "stream_backend = gevent needs gevent" in str(one)
    assert survey_backend(CircusConfig(), lambda *_: "") == []


def test_what_is_given_up_before_its_turn_is_not_done() -> None:
    works: list[Callable[[], bool]] = []
    news: list[Callable[[], object]] = []
    told: list[Trouble] = []
    ledger, sink = Ledger(told.append), QueueStream()
    lane = Lane(works.append, news.extend)
    record = {"pid": 1, "name": "stdout", "data": b"one\n", "timestamp": 1.0}
    lane.put(sink, record, ledger.account("w", "stdout"))
    lane.give_up(time.monotonic())
    (work,) = works
    assert not work()
    assert sink.empty()
    for tell in news:
        tell()
    assert ledger.counts()["w", "stdout"].lost == Loss(1, 4)
