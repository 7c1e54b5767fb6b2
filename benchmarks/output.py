"""The pump beside a plain Python read-write loop and splice(2): MB/s, and CPU seconds per GB.

`python benchmarks/output.py [--megabytes N] [--rounds N]`. Each child writes lines of 100 bytes
as fast as it can; all go into one file. "loop" and "loop256" do the least a Python program can, one
os.read of 64 or 256 KiB and one os.write for each, and tear lines; so does "splice", which can
besides not append. "plain" is the pump into a FileStream, "stamped" with a time_format, "rolled"
with max_bytes. CPU is that of the reading thread. Medians; only ratios mean anything elsewhere.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import select
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from circus.stream import FileStream, Pump, Source

if TYPE_CHECKING:
    from collections.abc import Callable

CHILD = """
import os, sys
left, line = int(sys.argv[1]), sys.argv[2].encode().ljust(99, b".") + b"\\n"
block = line * 655
while left > 0:
    left -= os.write(1, block[:left])
"""


def spawn(count: int, total: int) -> tuple[list[subprocess.Popen[bytes]], list[int]]:
    """Children that write `total` bytes between them, and the pipes to read it from."""
    children, pipes = [], []
    for number in range(count):
        reading, writing = os.pipe2(os.O_CLOEXEC)
        command = [sys.executable, "-S", "-E", "-c", CHILD, str(total // count), str(number)]
        children.append(subprocess.Popen(command, stdout=writing))
        os.close(writing)
        pipes.append(reading)
    return children, pipes


def loop(pipes: list[int], path: Path, *, size: int, splice: bool = False) -> float:
    """Read and write until all pipes have ended. CPU seconds."""
    out = os.open(path, os.O_WRONLY | os.O_CREAT | (0 if splice else os.O_APPEND), 0o600)
    epoll = select.epoll()
    for fd in pipes:
        epoll.register(fd, select.EPOLLIN)
        if size > 1 << 16:
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, size)
    began, left, offset = time.thread_time(), len(pipes), 0
    while left:
        for fd, _event in epoll.poll():
            if splice:
                moved = os.splice(fd, out, size, offset_dst=offset)
                offset += moved
            else:
                moved = os.write(out, os.read(fd, size))
            if not moved:
                os.close(fd)
                left -= 1
    used = time.thread_time() - began
    epoll.close()
    os.close(out)
    return used


def pumped(pipes: list[int], path: Path, total: int, **options: str) -> float:
    """The same by the pump. CPU seconds of its thread."""
    pump, sink = Pump(), FileStream(str(path), **options)
    for number, fd in enumerate(pipes):
        pump.attach(fd, sink, Source("bench", number, number, "stdout"))
    pump.start()
    (thread,) = (one for one in threading.enumerate() if one.name == "pump")
    assert thread.ident is not None
    clock = time.pthread_getcpuclockid(thread.ident)
    while sum(counts.bytes_in for counts in pump.counts().values()) < total:
        time.sleep(0.01)
    used = time.clock_gettime(clock)
    pump.close(within=1.0)
    return used


WAYS: dict[str, Callable[[list[int], Path, int], float]] = {
    "loop": lambda pipes, path, _total: loop(pipes, path, size=1 << 16),
    "loop256": lambda pipes, path, _total: loop(pipes, path, size=1 << 18),
    "splice": lambda pipes, path, _total: loop(pipes, path, size=1 << 18, splice=True),
    "plain": pumped,
    "rolled": lambda pipes, path, total: pumped(
        pipes, path, total, max_bytes="100000000", backup_count="3"
    ),
    "stamped": lambda pipes, path, total: pumped(pipes, path, total, time_format="%H:%M:%S"),
}


def measure(way: str, count: int, total: int) -> tuple[float, float, int]:
    """MB/s, CPU seconds per GB, torn lines."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/tmp") as folder:
        path = Path(folder, "out")
        began = time.perf_counter()
        children, pipes = spawn(count, total)
        used = WAYS[way](pipes, path, total)
        seconds = time.perf_counter() - began
        for child in children:
            child.wait()
        torn = 0
        for one in Path(folder).iterdir():
            with one.open("rb") as file:
                torn += sum(not whole(line) for line in file)
    return total / seconds / 1e6, used / total * 1e9, torn


def whole(line: bytes) -> bool:
    """Whether it is one line of one child, with a stamp or without."""
    text = line.rpartition(b"| ")[2]
    return len(text) == 100 and text.rstrip(b".\n").isdigit()


def main() -> None:
    """Print a line for each way and number of children."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--megabytes", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=5)
    args = options.parse_args()
    total = args.megabytes * 1_000_000 // 2000 * 2000
    print(f"{'children':>8} {'way':8} {'MB/s':>6} {'CPU s/GB':>9} {'torn':>7}")
    for count in (1, 20):
        results: dict[str, list[tuple[float, float, int]]] = {way: [] for way in WAYS}
        for _round in range(args.rounds):
            for way in WAYS:
                results[way].append(measure(way, count, total))
        for way, found in results.items():
            speed, cpu, torn = (statistics.median(column) for column in zip(*found, strict=True))
            print(f"{count:8} {way:8} {speed:6.0f} {cpu:9.3f} {torn:7.0f}")


if __name__ == "__main__":
    main()
