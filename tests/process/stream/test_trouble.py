"""Sinks that fail, pipes that outlive their worker, rotation by others."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from circus.stream import Counts, FileStream, Loss, Pump, QueueStream, Source
from tests.support import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.process.stream.conftest import Bench

SPEW = """
import sys
for n in range(int(sys.argv[1])): sys.stdout.write(f"{n} end\\n")
"""


def obeyed(bench: Bench) -> None:
    """Return once the pump has carried out what it was told before."""
    done = threading.Event()
    bench.pump._order(done.set)
    assert done.wait(20)


def open_files(path: Path) -> int:
    """How many descriptors of ours lead there."""
    found = 0
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            found += os.readlink(f"/proc/self/fd/{fd}") == str(path)
    return found


def test_t25_a_full_disk_is_told_and_counted_and_over_when_it_is(
    bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "out"
    sink = FileStream(str(path))
    end = bench.pipe(sink)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        os.write(end, b"x" * 99_990 + b"\nsecond\nthird\n")
        wait_until(lambda: bench.told)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    os.write(end, b"again\n")
    os.close(end)
    bench.finish()
    assert path.read_bytes() == b"x" * 99_990 + b"\nsecond\nth\nagain\n"
    why = f"cannot write to '{path}': File too large"
    assert bench.pump.counts()["w", "stdout"] == Counts(100_010, 100_006, {why: Loss(1, 4)})
    assert bench.told == [
        f"w: trouble with stdout: {why}",
        f"1 line of w dropped from stdout ({why}); it is written again",
    ]


def test_t25_no_space_left_drops_and_never_stops(bench: Bench) -> None:
    bench.run(SPEW, "100000", sink=FileStream("/dev/full"))
    bench.finish()
    counts = bench.pump.counts()["w", "stdout"]
    size = sum(len(f"{n} end\n") for n in range(100_000))
    assert (counts.bytes_in, counts.lost) == (size, Loss(100_000, size))
    why = "cannot write to '/dev/full': No space left on device"
    assert bench.told == [
        f"w: trouble with stdout: {why}",
        f"100000 lines of w dropped from stdout ({why})",
    ]


def test_t25_a_directory_that_is_gone_comes_back(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    sink = FileStream(str(folder / "out"))
    bench.feed(sink, b"one\n")
    out = folder / "out"
    wait_until(lambda: out.read_bytes() == b"one\n" and not open_files(out))
    (folder / "out").unlink()
    folder.rmdir()
    bench.feed(sink, b"two\n")
    wait_until(lambda: bench.pump.counts()["w", "stdout"].lost.lines)
    folder.mkdir()
    bench.feed(sink, b"three\n")
    bench.finish()
    assert (folder / "out").read_bytes() == b"three\n"
    counts = bench.pump.counts()["w", "stdout"]
    assert (counts.bytes_in, counts.bytes_out, counts.lost) == (14, 10, Loss(1, 4))


def test_t25_moving_the_file_under_load_loses_nothing(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "out"
    child = bench.run(SPEW, "1000000", sink=FileStream(str(path)))
    moved: list[Path] = []
    while child.poll() is None:
        if path.exists() and path.stat().st_size:
            moved.append(path.rename(tmp_path / f"moved.{len(moved)}"))
            bench.pump.reopen()
    bench.pump.reopen()
    bench.finish()
    assert len(moved) > 3
    lines = b"".join(one.read_bytes() for one in [*moved, path] if one.exists()).splitlines()
    assert lines == [b"%d end" % number for number in range(1_000_000)]


def test_t25_copytruncate_under_load_leaves_no_hole(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "out"
    child = bench.run(SPEW, "2000000", sink=FileStream(str(path)))
    while child.poll() is None:
        os.truncate(path, 0)
    bench.finish()
    text = path.read_bytes()
    assert b"\0" not in text
    assert path.stat().st_size == len(text)


def test_a_sink_that_raises_is_told_and_harms_nobody_else(bench: Bench) -> None:
    def broken(_record: dict[str, Any]) -> None:
        raise RuntimeError("I am broken")

    queue = QueueStream()
    bench.feed(broken, b"one\n")
    wait_until(lambda: bench.told)
    bench.feed(queue, b"two\n")
    bench.finish()
    assert queue.get_nowait()["data"] == b"two\n"
    assert bench.told == [
        "w: trouble with stdout: I am broken",
        "1 line of w dropped from stdout (I am broken); it is written again",
    ]


def test_a_sink_whose_open_close_and_reopen_raise_still_gets_everything(bench: Bench) -> None:
    class Rude(QueueStream):
        def open(self) -> None:
            raise OSError("not now")

        close = reopen = open

    sink = Rude()
    end = bench.pipe(sink)
    bench.pump.reopen()
    os.write(end, b"all the same\n")
    os.close(end)
    bench.finish()
    assert sink.get_nowait()["data"] == b"all the same\n"
    assert bench.told == ["w: trouble with stdout: not now"]


def test_t29_a_worker_that_closes_its_stdout_costs_nothing(bench: Bench) -> None:
    """What its pump thread uses while another child lives for a moment is next to nothing."""
    child = bench.run("import os, sys; os.close(1); sys.stdin.read()", sink=QueueStream())
    wait_until(lambda: not bench.pump._pipes and bench.pump.counts())
    (thread,) = (one for one in threading.enumerate() if one.name == "pump")
    assert thread.ident is not None
    clock = time.pthread_getcpuclockid(thread.ident)
    before = time.clock_gettime(clock)
    subprocess.run(["sleep", "0.5"], check=True)
    assert time.clock_gettime(clock) - before < 0.005
    assert child.poll() is None


def test_t22_a_grandchild_that_holds_the_pipe_is_let_go(bench: Bench) -> None:
    program = """
import os, sys
pid = os.fork()
if pid: os._exit(0)
os.write(1, b"from the grandchild\\n")
sys.stdin.read()
"""
    queue = QueueStream()
    child = bench.run(program, sink=queue)
    child.wait()
    bench.pump.ended(child.pid)
    assert queue.get(timeout=20)["data"] == b"from the grandchild\n"
    wait_until(lambda: not bench.pump._pipes)


def test_a_grandchild_that_goes_on_writing_is_read_on(bench: Bench) -> None:
    end = bench.pipe(QueueStream(), pid=77)
    bench.pump.ended(77)
    for _time in range(10):  # longer together than the bound of 0.2 s
        os.write(end, b"alive\n")
        subprocess.run(["sleep", "0.05"], check=True)
    os.close(end)
    bench.finish()
    assert bench.pump.counts()["w", "stdout"] == Counts(60, 60)


def test_t20_t21_a_thousand_starts_and_stops_keep_every_line_and_no_handle(
    bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "out"
    sink = FileStream(str(path))
    for number in range(1000):
        bench.feed(sink, b"%d\n" % number)
        if number % 100 == 0:
            wait_until(lambda: not open_files(path))
    wait_until(lambda: not open_files(path))
    bench.finish()
    assert sorted(map(int, path.read_bytes().split())) == list(range(1000))


def test_a_stream_can_be_led_elsewhere(bench: Bench, tmp_path: Path) -> None:
    old, new = QueueStream(), FileStream(str(tmp_path / "new"))
    end = bench.pipe(old)
    other = bench.pipe(old, name="stderr")
    os.write(end, b"one\n")
    assert old.get(timeout=20)["data"] == b"one\n"
    bench.pump.change("w", "stdout", new)
    obeyed(bench)
    os.write(end, b"two\n")
    os.write(other, b"three\n")
    os.close(end)
    os.close(other)
    bench.finish()
    assert (tmp_path / "new").read_bytes() == b"two\n"
    assert old.get_nowait()["data"] == b"three\n"


def test_t28_silent_workers_hold_up_no_end() -> None:
    """Ends although the pipe is open, there is nothing in it, and 1 000 s were allowed."""
    pump = Pump()
    reading, writing = os.pipe()
    pump.attach(reading, QueueStream(), Source("w", 1, 1, "stdout"))
    pump.start()
    pump.close(within=1000.0)
    os.close(writing)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reading)


def test_t28_a_sink_that_blocks_holds_up_the_end_for_a_while_only() -> None:
    go, called, pump = threading.Event(), threading.Event(), Pump()

    def stuck(_record: dict[str, Any]) -> None:
        called.set()
        go.wait()

    reading, writing = os.pipe()
    pump.attach(reading, stuck, Source("w", 1, 1, "stdout"))
    os.write(writing, b"line\n")
    os.close(writing)
    pump.start()
    called.wait()
    pump.close(within=0.1)
    go.set()
    wait_until(lambda: pump._epoll.closed)


def test_a_pump_that_never_started_passes_on_what_it_was_given() -> None:
    queue, pump = QueueStream(), Pump()
    reading, writing = os.pipe()
    os.write(writing, b"early\n")
    os.close(writing)
    pump.attach(reading, queue, Source("w", 1, 1, "stdout"))
    pump.close(within=5.0)
    assert queue.get_nowait()["data"] == b"early\n"
    pump.close(within=5.0)
    late, writing = os.pipe()
    pump.attach(late, queue, Source("w", 1, 1, "stdout"))
    os.close(writing)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(late)


def test_t27_a_named_pipe_that_is_full_holds_up_its_own_worker_only(
    bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    queue = QueueStream()
    child = bench.run(SPEW, "200000", sink=FileStream(str(path)))
    wait_until(lambda: bench.pump._doors)
    bench.feed(queue, b"not held up\n", pid=2)
    assert queue.get(timeout=20)["data"] == b"not held up\n"
    assert child.poll() is None
    bench.pump.reopen()
    os.set_blocking(reader, True)
    with open(reader, "rb") as file:
        lines = [file.readline() for _number in range(200_000)]
        bench.finish()
        assert file.read() == b""
    assert lines == [b"%d end\n" % number for number in range(200_000)]


PRINTS = """
import os, sys
from circus.stream import Pump, Source, StdoutStream
from tests.support import wait_until
pump = Pump(lambda trouble: sys.stderr.write(f"{trouble}\\n"))
for number in range(int(sys.argv[1])):
    reading, writing = os.pipe2(os.O_CLOEXEC)
    if os.fork() == 0:
        block = b"".join(b"%d %d end\\n" % (number, line) for line in range(20000))
        while block: block = block[os.write(writing, block):]
        os._exit(0)
    os.close(writing)
    pump.attach(reading, StdoutStream(), Source("w", number, number, "stdout"))
pump.start()
wait_until(lambda: not pump._pipes and not pump._orders)
pump.close(within=20.0)
dropped = sum(one.lost.size for one in pump.counts().values())
sys.stderr.write(f"{dropped} dropped\\n")
"""


def prints(workers: int, **options: Any) -> subprocess.Popen[bytes]:
    """A program whose own standard output gets that of some workers."""
    command = [sys.executable, "-c", PRINTS, str(workers)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, **options)


def check(text: bytes, workers: int) -> None:
    seen = [0] * workers
    for line in text.splitlines():
        who, count, end = line.split()
        assert (int(count), end) == (seen[int(who)], b"end")
        seen[int(who)] += 1
    assert seen == [20000] * workers


def test_t27_stdout_may_be_a_pipe_that_is_read_late() -> None:
    child = prints(3, stdout=subprocess.PIPE)
    assert child.stdout is not None
    first = os.read(child.stdout.fileno(), 10)
    rest, errors = child.communicate(timeout=60)
    check(first + rest, 3)
    assert errors == b"0 dropped\n"


def test_t27_stdout_may_be_a_file(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        file.write(b"0 0 end\n")
        file.flush()
        child = prints(1, stdout=file)
        _out, errors = child.communicate(timeout=60)
    text = (tmp_path / "out").read_bytes()
    assert text.startswith(b"0 0 end\n")
    check(text[len(b"0 0 end\n") :], 1)
    assert errors == b"0 dropped\n"


def test_t27_stdout_may_be_a_socket() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        child = prints(2, stdout=theirs)
        theirs.close()
        with ours.makefile("rb") as file:
            check(file.read(), 2)
        assert child.communicate(timeout=60)[1] == b"0 dropped\n"


def test_t27_stdout_may_be_a_terminal() -> None:
    ours, theirs = os.openpty()
    child = prints(1, stdout=theirs)
    os.close(theirs)
    text = bytearray()
    while True:
        try:
            text += os.read(ours, 1 << 16)
        except OSError:  # how a terminal says that nobody writes to it any longer
            break
    os.close(ours)
    check(bytes(text), 1)
    assert child.communicate(timeout=60)[1] == b"0 dropped\n"


def test_t27_stdout_may_be_null_full_or_gone() -> None:
    with open("/dev/null", "wb") as file:
        assert prints(1, stdout=file).communicate(timeout=60)[1] == b"0 dropped\n"
    size = sum(len(f"0 {n} end\n") for n in range(20000))
    with open("/dev/full", "wb") as file:
        told = prints(1, stdout=file).communicate(timeout=60)[1].decode()
    assert told.startswith(
        "w: trouble with stdout: cannot write to standard output: No space left on device"
    )
    assert told.endswith(f"\n{size} dropped\n")
    program = f'exec {sys.executable} -c "$1" 1 >&-'
    shell = ["/bin/sh", "-c", program, "sh", PRINTS]
    told = subprocess.run(shell, capture_output=True, timeout=60, check=True).stderr.decode()
    assert told.startswith("w: trouble with stdout: cannot write to standard output: it is closed")
    assert told.endswith(f"\n{size} dropped\n")
