"""Busy pipes are read where their sink is called: whatever happens meanwhile, nothing is lost."""

from __future__ import annotations

import collections
import os
import select
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from circus.stream import Counts, FileStream, Loss, Pump, QueueStream, Source, Unwritten
from circus.stream.beside import Greenlets, Threads
from circus.stream.lane import LANE_BYTES
from circus.stream.pipe import BUSY_BYTES, LINE_BYTES
from tests.process.stream.conftest import bench_in, bench_of
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from circus.stream.beside import Beside
    from tests.process.stream.conftest import Bench

NUMBERS = """
import os, sys
text = memoryview(b"".join(b"%09d\\n" % number for number in range(int(sys.argv[1]))))
while text: text = text[os.write(1, text[:1 << 20]):]
"""
ENDLESS = """
import os
text = b"".join(b"%09d\\n" % number for number in range(20_000))
while True: os.write(1, text)
"""
UNTIL_TOLD = """
import os, sys
first = 0
while not os.path.exists(sys.argv[1]):
    text = memoryview(b"".join(b"%09d\\n" % number for number in range(first, first + 20_000)))
    while text: text = text[os.write(1, text):]
    first += 20_000
"""


def numbers(count: int) -> bytes:
    """All that NUMBERS writes."""
    return b"".join(b"%09d\n" % number for number in range(count))


def lent(pump: Pump) -> bool:
    """Whether a pipe is."""
    return any(pipe.loan for pipe in list(pump._pipes.values()))


class Blocks:
    """A user's sink: writes into a named pipe, and waits while that is full."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._writer = os.open(path, os.O_WRONLY)
        os.set_blocking(self._reader, True)

    def __call__(self, record: dict[str, Any]) -> None:
        rest = memoryview(record["data"])
        while rest:
            rest = rest[os.write(self._writer, rest) :]

    def drain(self, size: int) -> bytes:
        """What is written next, so much of it."""
        text = bytearray()
        while len(text) < size:
            text += os.read(self._reader, size - len(text))
        return bytes(text)

    def dispose(self) -> None:
        """Who still writes is told that nobody reads."""
        os.close(self._reader)
        os.close(self._writer)


@pytest.fixture
def blocks(tmp_path: Path) -> Iterator[Blocks]:
    """One that nobody reads yet."""
    sink = Blocks(tmp_path / "fifo")
    yield sink
    sink.dispose()


class Tallies:
    """Counts the bytes of each worker, and is never tired."""

    def __init__(self) -> None:
        self.sizes: collections.Counter[int] = collections.Counter()

    def __call__(self, record: dict[str, Any]) -> None:
        self.sizes[record["pid"]] += len(record["data"])


def test_t27_a_sink_that_blocks_in_the_middle_holds_up_its_own_worker_only(
    blocks: Blocks, bench: Bench, tmp_path: Path
) -> None:
    child = bench.run(NUMBERS, "1000000", sink=blocks)
    text = blocks.drain(3_000_000)
    wait_until(lambda: lent(bench.pump))
    path, queue = tmp_path / "out", QueueStream()
    bench.feed(queue, b"line\n", pid=1)
    assert queue.get(timeout=20)["data"] == b"line\n"
    assert child.poll() is None
    waiting = bench.pump.counts()["w", "stdout"].bytes_in - len(text)
    assert waiting <= LANE_BYTES + 2 * (LINE_BYTES + BUSY_BYTES)
    bench.feed(FileStream(str(path)), text, pid=2)
    wait_until(lambda: path.exists() and path.stat().st_size == len(text))
    assert child.poll() is None
    text += blocks.drain(10_000_000 - len(text))
    bench.finish()
    assert text == numbers(1_000_000)


def test_a_stream_is_led_away_while_its_sink_blocks_in_the_middle(
    blocks: Blocks, bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "out"
    child = bench.run(NUMBERS, "1000000", sink=blocks)
    text = blocks.drain(3_000_000)
    wait_until(lambda: lent(bench.pump))
    bench.pump.change("w", "stdout", FileStream(str(path)))
    assert child.wait(timeout=60) == 0  # although nobody reads the named pipe
    wait_until(lambda: path.stat().st_size)
    with path.open("rb") as file:
        text += blocks.drain(10 * int(file.readline()) - len(text))
    bench.finish()
    assert text + path.read_bytes() == numbers(1_000_000)


def test_a_stream_that_is_led_to_and_fro_loses_and_repeats_nothing(
    bench: Bench, tmp_path: Path
) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    sinks = [FileStream(str(path)) for path in files]
    enough = tmp_path / "enough"
    bench.run(UNTIL_TOLD, str(enough), sink=sinks[0])
    for sink in [sinks[1], sinks[0]] * 10:
        wait_until(lambda: lent(bench.pump))
        bench.pump.change("w", "stdout", sink)
        wait_until(lambda: not bench.pump._orders)
    enough.touch()
    bench.finish()
    found = [path.read_bytes().splitlines(keepends=True) for path in files]
    assert all(lines and lines == sorted(lines) for lines in found)
    everything = sorted([*found[0], *found[1]])
    assert b"".join(everything) == numbers(len(everything))


@pytest.mark.parametrize("backend", ["thread", "gevent"])
def test_t22_what_a_busy_worker_wrote_before_it_was_killed_arrives(
    backend: str, tmp_path: Path
) -> None:
    path = tmp_path / "out"
    with bench_of(backend) as bench:
        sink = FileStream(str(path))
        child = bench.run(NUMBERS + "os.kill(os.getpid(), 9)", "4000000", sink=sink)
        wait_until(lambda: lent(bench.pump) or child.poll() is not None)
        bench.finish()
    assert child.returncode == -signal.SIGKILL
    assert path.read_bytes() == numbers(4_000_000)
    assert bench.pump.counts()["w", "stdout"] == Counts(40_000_000, 40_000_000)


def test_t22_what_is_in_the_pipe_of_a_busy_worker_that_is_killed_arrives(
    bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "out"
    child = bench.run(ENDLESS, sink=FileStream(str(path)))
    wait_until(lambda: lent(bench.pump))
    child.kill()
    bench.finish()
    text, block = path.read_bytes(), numbers(20_000)
    assert bench.pump.counts()["w", "stdout"] == Counts(len(text), len(text))
    assert text == (block * (len(text) // len(block) + 1))[: len(text)]


def test_t28_a_busy_sink_that_blocks_holds_up_the_end_for_a_while_only(blocks: Blocks) -> None:
    pump = Pump(lambda _trouble: None)
    pump.start()
    reading, writing = os.pipe2(os.O_CLOEXEC)
    pump.attach(reading, blocks, Source("w", 1, 1, "stdout"))

    def write() -> None:
        with pytest.raises(BrokenPipeError), open(writing, "wb") as file:
            file.write(numbers(1_000_000))

    writer = threading.Thread(target=write)
    writer.start()
    blocks.drain(3_000_000)
    wait_until(lambda: lent(pump))
    pump.close(within=0.1)
    writer.join()
    counts = pump.counts()["w", "stdout"]
    assert counts.bytes_in == counts.bytes_out + counts.lost.size
    assert counts.lost.lines == -(-counts.lost.size // 10) > 0


class Refuses:
    """Borrows, may block, and takes nothing."""

    borrows = True

    def __call__(self, _record: dict[str, Any]) -> None:
        raise Unwritten("no")


class Breaks:
    """The same, without a word of how much it took."""

    borrows = True

    def __call__(self, _record: dict[str, Any]) -> None:
        raise RuntimeError("no")


@pytest.mark.parametrize("sink", [Refuses(), Breaks()])
def test_t25_every_line_that_is_refused_is_counted(bench: Bench, sink: Any) -> None:
    text = b"".join(b"x" * (number % 97) + b"\n" for number in range(400_000))
    bench.feed(sink, text)
    bench.finish()
    loss = Loss(400_000, len(text))
    assert bench.pump.counts()["w", "stdout"] == Counts(len(text), 0, {"no": loss})


def test_what_is_due_waits_while_a_busy_sink_blocks(blocks: Blocks, bench: Bench) -> None:
    child = bench.run(NUMBERS, "1000000", sink=blocks)
    text = blocks.drain(3_000_000)
    wait_until(lambda: lent(bench.pump))
    bench.pump.ended(child.pid)  # so its silence is to be noticed
    wait_until(lambda: bench.pump._due.moments())
    wait_until(lambda: not bench.pump._due.moments())
    text += blocks.drain(10_000_000 - len(text))
    bench.finish()
    assert text == numbers(1_000_000)


class Echoes:
    """Writes all it takes into the pipe that it comes from: there is always something to read."""

    def __init__(self) -> None:
        self.ends: dict[int, int] = {}
        self.taken = 0
        self.over = False

    def __call__(self, record: dict[str, Any]) -> None:
        self.taken += len(record["data"])
        if not self.over:
            os.write(self.ends[record["pid"]], record["data"])
        elif record["pid"] in self.ends:
            os.close(self.ends.pop(record["pid"]))

    def begin(self, bench: Bench) -> None:
        """Return when it has gone on for a while."""
        for pid in (11, 12):
            self.ends[pid] = bench.pipe(self, pid)
            os.write(self.ends[pid], b"line\n" * 10_000)
        wait_until(lambda: self.taken > 10_000_000)


class Nowhere:
    """There are no threads: it is done by whoever asks for it."""

    def __call__(self, work: Callable[[], object]) -> None:
        while work():
            pass

    def close(self) -> None:
        """There is nothing to close."""


@pytest.mark.parametrize("lanes_in", [Threads, Greenlets, Nowhere])
def test_busy_workers_leave_others_their_turn(
    lanes_in: Callable[[], Beside], tmp_path: Path
) -> None:
    path, echoes, queue = tmp_path / "out", Echoes(), QueueStream()
    with bench_in(lanes_in) as bench:
        echoes.begin(bench)
        bench.feed(FileStream(str(path)), b"line\n", pid=1)
        bench.feed(queue, b"line\n", pid=2)
        wait_until(lambda: path.exists() and path.read_bytes() == b"line\n")
        assert queue.get(timeout=20)["data"] == b"line\n"
        echoes.over = True
        wait_until(lambda: not echoes.ends)


@pytest.mark.parametrize("backend", ["thread", "gevent"])
def test_busy_workers_of_one_place_have_turns(backend: str) -> None:
    tallies = Tallies()
    with bench_of(backend) as bench:
        for _worker in range(2):
            bench.run(ENDLESS, sink=tallies)
        wait_until(lambda: lent(bench.pump))
        bench.feed(tallies, numbers(300_000), pid=1)
        wait_until(lambda: tallies.sizes[1] == 3_000_000)
        for child in bench.children:
            assert child.poll() is None
            child.kill()


def test_a_busy_socket_whose_other_end_gives_up_is_let_go(blocks: Blocks, bench: Bench) -> None:
    ours, theirs = socket.socketpair()
    ours.send(b"nobody reads this")  # so its end is an error
    bench.pump.attach(ours.detach(), blocks, Source("w", 1, 1, "stdout"))
    sent = 0
    with theirs:
        while select.select([], [theirs], [], 0.2)[1]:
            sent += theirs.send(b"line\n" * 1_000, socket.MSG_DONTWAIT)
    assert blocks.drain(sent) == (b"line\n" * sent)[:sent]
    wait_until(lambda: not bench.pump._pipes)
