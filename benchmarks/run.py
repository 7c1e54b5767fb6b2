"""circusd beside a bare floor, in one run, as ratios.

`python benchmarks/run.py [--workers N] [--rounds N]` prints one line for each measure: the floor,
ours, and how many times the floor that is. Medians; machines are noisy, ratios less so.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from circus.client import CircusClient

SLEEP = ["/bin/sleep", "100000"]


class Daemon:
    """A circusd with private sockets, on one watcher of `count` sleepers."""

    def __init__(self, count: int, more: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
        config = self.folder / "x.ini"
        config.write_text(f"[watcher:w]\ncmd = {' '.join(SLEEP)}\nnumprocesses = {count}\n{more}\n")
        self.count = count
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "circus.circusd", "--log-level", "error", str(config)],
            env={**os.environ, "RUNTIME_DIRECTORY": str(self.folder)},
        )
        self.client = CircusClient(endpoint=f"ipc://{self.folder}/control", timeout=120.0)

    def up(self) -> float:
        """Seconds from the start of circusd to the last worker's."""
        while not (self.folder / "control").exists():
            time.sleep(0.002)
        while self.client.send_message("numprocesses")["numprocesses"] < self.count:
            time.sleep(0.002)
        return time.perf_counter() - self.began

    def pids(self) -> list[int]:
        """Of all workers."""
        found: list[int] = self.client.send_message("list", name="w")["pids"]
        return found

    def close(self) -> float:
        """Seconds that the end takes."""
        began = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        took = time.perf_counter() - began
        self.client.stop()
        shutil.rmtree(self.folder)
        return took


def floor_up(count: int) -> tuple[float, float]:
    """Seconds that a bare Popen loop takes to start as many, and to end them."""
    code = (
        "import subprocess,sys,time\n"
        f"ps=[subprocess.Popen({SLEEP!r}, stdin=subprocess.DEVNULL) for _ in range({count})]\n"
        "print('up',flush=True); sys.stdin.read()\n"
        "[p.terminate() for p in ps]; [p.wait() for p in ps]\n"
    )
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        up = time.perf_counter() - began
        began = time.perf_counter()
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
    return up, time.perf_counter() - began


def respawn(daemon: Daemon) -> float:
    """Seconds from the death of a worker to the pid of its successor."""
    before = set(daemon.pids())
    began = time.perf_counter()
    os.kill(min(before), signal.SIGKILL)
    while not set(daemon.pids()) - before:
        pass
    return time.perf_counter() - began


def cpu(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pss(pid: int) -> float:
    """Proportional set size, MiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def show(name: str, ours: float, floor: float | None, unit: str) -> None:
    """One line."""
    ratio = "" if not floor else f"{floor:10.3f} {ours / floor:6.2f} x"
    print(f"{name:34} {ours:10.3f} {unit:4}{ratio}", flush=True)


def median(measure: Callable[[], float], rounds: int) -> float:
    """Of so many tries."""
    return statistics.median(measure() for _ in range(rounds))


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print(f"{'':34} {'circusd':>10}     {'floor':>10}  ratio   ({args.workers} workers)")
    ups, ends, floors = [], [], []
    for _ in range(args.rounds):
        floors.append(floor_up(args.workers))
        daemon = Daemon(args.workers)
        ups.append(daemon.up())
        ends.append(daemon.close())
    up, end = (statistics.median(one) for one in zip(*floors, strict=True))
    show("all up, from nothing", statistics.median(ups), up, "s")
    show("all stopped", statistics.median(ends), end, "s")
    daemon = Daemon(args.workers)
    daemon.up()
    show("round trip", 1000 * median(lambda: _status(daemon), 500), None, "ms")
    show("killed to successor's pid", 1000 * median(lambda: respawn(daemon), 9), None, "ms")
    began = cpu(daemon.process.pid)
    time.sleep(10)
    show("idle CPU in 10 s", 1000 * (cpu(daemon.process.pid) - began), None, "ms")
    show("memory (PSS)", pss(daemon.process.pid), None, "MiB")
    daemon.close()


def _status(daemon: Daemon) -> float:
    began = time.perf_counter()
    daemon.client.send_message("status")
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
