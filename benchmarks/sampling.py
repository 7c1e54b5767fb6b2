"""Statistics of many workers, published once a second, to a listener and to none.

The floor has the same workers, and reads `/proc/PID/stat` of each.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import zmq

from benchmarks import install, machine
from benchmarks.machine import TooSlow
from benchmarks.peers import FLOOR, OURS, SEED
from benchmarks.running import PATIENCE, Running
from circus.stats.sampler import Sampler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.bench import Bench
    from benchmarks.loads import Load
    from benchmarks.peers import Peer

NAMES = ("sample", "publish", "stats-idle")
SECONDS = 10.0
READS = 20
"""Times that everybody is looked at; the median counts."""
HELPERS = ("-m\0circus.stats\0", "from circus import stats")
"""One is in the command line of the process that publishes: ours, and that of circus 0.19."""
ASKED_019 = """
import sys, time
from circus.util import get_info
pids = [int(pid) for pid in sys.argv[1:]]
for _ in sys.stdin:
    began = time.process_time()
    for pid in pids:
        get_info(pid)
    print(time.process_time() - began, flush=True)
"""
"""Run by the Python of circus 0.19: answers each line with the seconds of CPU for all of them."""
CONFIG = """\
[circus]
statsd = True
stats_endpoint = ipc://{folder}/stats
[watcher:w]
cmd = {load.command}
numprocesses = {load.count}
"""


def sampled(bench: Bench) -> None:
    """CPU for each sample of a worker, and CPU that waiting for a listener takes."""
    load = bench.site.sleepers(bench.workers)
    for _, peer in bench.turns("statistics"):
        with bench.failing(peer, *NAMES):
            if peer.name == FLOOR:
                _look(bench, peer, load)
            elif peer.name in (OURS, SEED):
                _publish(bench, peer, load)


def _look(bench: Bench, floor: Peer, load: Load) -> None:
    """The floor, and the samplers on the same processes in turn with it."""
    command = load.command.split()
    processes = [subprocess.Popen(command) for _ in range(load.count)]
    pids = [process.pid for process in processes]
    try:
        with contextlib.ExitStack() as stack:
            samplers = [
                (peer, _sampler(pids) if peer.name == OURS else stack.enter_context(_asked(pids)))
                for peer in bench.peers
                if peer.name in (OURS, SEED)
            ]
            for _, sample in samplers:
                sample()  # what it reads once only
            for _ in range(READS):
                bare = 1e6 * _read(pids) / len(pids)
                bench.add("sample", floor, bare)
                bench.add("publish", floor, bare)
                for peer, sample in samplers:
                    bench.add("sample", peer, 1e6 * sample() / len(pids))
        bench.add("stats-idle", floor, 0.0)
    finally:
        machine.kill(pids)
        for process in processes:
            process.wait()


def _read(pids: list[int]) -> float:
    """Seconds of CPU."""
    began = time.process_time()
    for pid in pids:
        with open(f"/proc/{pid}/stat", "rb") as file:
            file.read()
    return time.process_time() - began


def _sampler(pids: list[int]) -> Callable[[], float]:
    """Seconds of CPU that ours takes for all, each time."""
    sampler = Sampler()

    def sample() -> float:
        sampler.begin()
        began = time.process_time()
        for pid in pids:
            sampler.look_below(pid)
        return time.process_time() - began

    return sample


@contextlib.contextmanager
def _asked(pids: list[int]) -> Iterator[Callable[[], float]]:
    """The same of circus 0.19, in a process of its own."""
    python = install.from_pypi(*install.CIRCUS_019) / "python"
    with subprocess.Popen(
        [str(python), "-I", "-c", ASKED_019, *map(str, pids)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as asked:
        assert asked.stdin is not None
        assert asked.stdout is not None
        to, answers = asked.stdin, asked.stdout

        def sample() -> float:
            print(file=to, flush=True)
            return float(answers.readline())

        yield sample


def _publish(bench: Bench, peer: Peer, load: Load) -> None:
    """What the whole process uses, seen from outside."""
    folder = bench.site.start()
    assert peer.serve is not None
    text = CONFIG.format(folder=folder, load=load)
    one = Running(peer, folder, peer.serve(folder, text), load.program)
    try:
        one.up(load.count)
        helper = _helper(one)
        machine.rest(2.0)  # it has read who there is
        before = machine.cpu([helper])
        machine.rest(SECONDS)
        bench.add("stats-idle", peer, 1000 * (machine.cpu([helper]) - before))
        with _listening(f"ipc://{folder}/stats") as sock:
            _count(sock, 2.0)
            before = machine.cpu([helper])
            heard = _count(sock, SECONDS)
            used = machine.cpu([helper]) - before
        if not heard:
            raise TooSlow("nothing is published")
        bench.add("publish", peer, 1e6 * used / heard)
    finally:
        one.close()


def _helper(one: Running) -> int:
    """The process that publishes."""

    found: list[int] = []

    def there() -> bool:
        found[:] = [
            pid for pid in one.supervisors() if any(one in _command(pid) for one in HELPERS)
        ]
        return bool(found)

    machine.wait_for(there, within=PATIENCE)
    return found[0]


def _command(pid: int) -> str:
    """Nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


@contextlib.contextmanager
def _listening(endpoint: str) -> Iterator[zmq.Socket[bytes]]:
    with zmq.Context() as context, context.socket(zmq.SUB) as sock:
        sock.setsockopt(zmq.RCVHWM, 0)
        sock.subscribe(b"stat.w")
        sock.connect(endpoint)
        yield sock


def _count(sock: zmq.Socket[bytes], seconds: float) -> int:
    """Samples of single workers that come within so many seconds."""
    until = time.perf_counter() + seconds
    heard = 0
    while (left := until - time.perf_counter()) > 0:
        if sock.poll(int(1000 * left)):
            heard += sock.recv_multipart()[0].count(b".") == 2
    return heard
