"""A million lines of ten workers into a real journal: all there or counted, and circusd answers.

Run as a module, from the repository, as root: `python -m benchmarks.journal`. A journald of its own
takes the lines, and is stopped for a minute the second time.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.clients import ZmqConnection
from benchmarks.machine import cpu, rest
from tests.journald import InUnit, RealJournald
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WORKERS = 10
FLOOR_LINES = 100_000
DIRECT_LINES = 100_000
STOPPED = 60.0
ASK_EVERY = 0.01
LINE_BYTES = 100
WATCHER = f"""\
[watcher:w{{number}}]
cmd = {sys.executable} -S FOLDER/worker.py {{count}} FOLDER/done{{number}}
autostart = False
"""
WORKER = """\
import os, signal, sys, time
count, path = int(sys.argv[1]), sys.argv[2]
longest = 0.0
for number in range(count):
    line = b"%d " % number
    began = time.monotonic()
    os.write(1, line.ljust(99, b"x") + b"\\n")
    longest = max(longest, time.monotonic() - began)
with open(path + ".new", "w") as file:
    file.write(str(longest))
os.rename(path + ".new", path)
signal.pause()
"""


@dataclass
class Asking:
    """Somebody who asks for the status again and again; seconds of each answer."""

    endpoint: str
    times: list[float] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Asking:
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        connection = ZmqConnection(self.endpoint, "status")
        while not self._over.wait(ASK_EVERY):
            began = time.perf_counter()
            connection.send()
            connection.receive()
            self.times.append(time.perf_counter() - began)
        connection.close()

    def __str__(self) -> str:
        times = sorted(self.times)
        p50, p99 = statistics.median(times), times[len(times) * 99 // 100]
        found = " ".join(
            f"{name} {1000 * value:.1f} ms"
            for name, value in (("p50", p50), ("p99", p99), ("max", times[-1]))
        )
        return f"{len(times)} answers, {found}"


def main() -> int:
    """Print what was found; the exit status tells whether anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.journal", description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000, help="of all workers together")
    parser.add_argument("--stopped", type=float, default=STOPPED, help="seconds", metavar="S")
    args = parser.parse_args()
    least = floor()
    each = args.lines // WORKERS
    lost = [workers(each, least), workers(each, least, lambda one: _stop(one, args.stopped))]
    direct()
    return 1 if any(lost) else 0


def floor() -> float:
    """Seconds of CPU for a line, for who does nothing but send records like ours of a worker."""
    journald = RealJournald()
    sleeper = subprocess.Popen(["sleep", "100000"])
    head = (
        b"PRIORITY=6\nSYSLOG_IDENTIFIER=w0\nCIRCUS_WATCHER=w0\nCIRCUS_WID=1\nCIRCUS_GENERATION=1\n"
        b"CIRCUS_STREAM=stdout\nCIRCUS_PID=%d\nMESSAGE=" % sleeper.pid
    )
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.connect(f"{journald.folder}/socket")
    ids = struct.pack("3i", sleeper.pid, 0, 0)
    ancillary = [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, ids)]
    used, began = time.process_time(), time.perf_counter()
    for number in range(FLOOR_LINES):
        sock.sendmsg((head, (b"%d " % number).ljust(99, b"x"), b"\n"), ancillary)
    used, took = time.process_time() - used, time.perf_counter() - began
    sleeper.kill()
    sleeper.wait()
    sock.close()
    journald.close()
    print(f"floor: {1e6 * used / FLOOR_LINES:.1f} us a line, {FLOOR_LINES / took:.0f} lines/s")
    return used / FLOOR_LINES


def _stop(journald: RealJournald, seconds: float) -> None:
    journald.pause()
    rest(seconds)
    journald.go_on()


@contextlib.contextmanager
def running(text: str) -> Iterator[InUnit]:
    """A circusd with a journald of its own, and with WORKER in its folder."""
    with contextlib.closing(RealJournald()) as journald:
        daemon = InUnit(journald, text)
        try:
            daemon.wait()
            (daemon.folder / "worker.py").write_text(WORKER)
            yield daemon
        finally:
            daemon.stop()


def workers(
    count: int, least: float, meanwhile: Callable[[RealJournald], None] | None = None
) -> int:
    """So many lines of each of WORKERS. How many are neither there nor counted, or there twice."""
    text = "".join(WATCHER.format(number=number, count=count) for number in range(WORKERS))
    size = LINE_BYTES * count * WORKERS
    with running(text) as daemon:
        pid = daemon.process.pid
        with Asking(daemon.endpoint) as asking:
            used, began = _beside(pid), time.perf_counter()
            daemon.call("start", name="w*")
            if meanwhile is not None:
                wait_until(lambda: _bytes(daemon)[0] > size / 20)
                meanwhile(daemon.journald)
            waits = [
                float(wait_until(partial(daemon.file, f"done{number}"), within=900))
                for number in range(WORKERS)
            ]
            wait_until(lambda: _bytes(daemon)[1] == size, within=900)
            used, took = _beside(pid) - used, time.perf_counter() - began
        line = used / count / WORKERS
        print(
            f"{'journald stopped' if meanwhile else 'journald running'}: "
            f"{WORKERS} x {count} lines, {1e6 * line:.1f} us a line ({line / least:.2f} x floor), "
            f"{count * WORKERS / took:.0f} lines/s\n    {asking}"
        )
        print(f"    a worker waited for {max(waits):.2f} s at most", flush=True)
        return sum(_check(daemon, f"w{number}", count) for number in range(WORKERS))


def _beside(pid: int) -> float:
    """Seconds of CPU of all its threads but the first: of those that pass output on."""
    first = Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]
    return cpu([pid]) - int(first) / 1e9


def _bytes(daemon: InUnit) -> tuple[int, int]:
    """Read, and written or dropped."""
    read = passed = 0
    for streams in daemon.call("stats")["outputs"].values():
        counts = streams.get("stdout", {"read": 0, "written": 0, "dropped": {}})
        read += counts["read"]
        passed += counts["written"] + sum(one["bytes"] for one in counts["dropped"].values())
    return read, passed


def _check(daemon: InUnit, name: str, count: int) -> int:
    """How many lines are missing without being counted, or are there twice or out of order."""
    dropped = daemon.call("stats", name=name)["output"]["stdout"]["dropped"]
    lost: int = sum(one["lines"] for one in dropped.values())
    match = (f"CIRCUS_WATCHER={name}", f"SYSLOG_IDENTIFIER={name}", "CIRCUS_STREAM=stdout")

    def numbers() -> list[int]:
        found = [int(line.split()[0]) for line in daemon.journald.messages(*match)]
        return found if len(found) + lost >= count else []  # what was sent is there in a moment

    found: list[int] = wait_until(numbers, within=60)
    disorder = sum(after <= before for before, after in itertools.pairwise(found))
    missing = count - len(found) - lost
    print(f"    {name}: {len(found)} there + {lost} dropped = {len(found) + lost}"
          + (f", {disorder} OUT OF ORDER" if disorder else ""))  # fmt: skip
    return abs(missing) + disorder


def direct() -> None:
    """What circusd uses while a worker writes past it."""
    text = WATCHER.format(number=0, count=DIRECT_LINES) + "".join(
        f"{name}_stream.class = JournalStream\n{name}_stream.mode = direct\n"
        for name in ("stdout", "stderr")
    )
    with running(text) as daemon:
        daemon.call("start", name="w0", waiting=True)
        used = cpu([daemon.process.pid])
        wait_until(lambda: daemon.file("done0"), within=60)
        used = cpu([daemon.process.pid]) - used
        print(f"direct: {DIRECT_LINES} lines, {1000 * used:.1f} ms of CPU of circusd")


if __name__ == "__main__":
    sys.exit(main())
