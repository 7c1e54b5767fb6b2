"""circusd beside a bare floor, in one run, as ratios.

`python benchmarks/run.py [--workers N] [--rounds N]` prints one line for each measure: ours, the
floor of the same run, and how many times the floor that is. Medians; machines are noisy, ratios
less so. Nothing leaves this machine, everything that is started is ended.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from circus.client import CircusClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FLOORS = str(Path(__file__).with_name("floors.py"))
IDENTITY = "uid = nobody\ngid = nogroup\nrlimit_nofile = 500\nrlimit_core = 0\n"
CLIENTS = 16


class Daemon:
    """A circusd with private sockets, on one watcher of `count` sleepers."""

    def __init__(self, count: int, more: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
        self.endpoint = f"ipc://{self.folder}/control"
        config = self.folder / "x.ini"
        config.write_text(f"[watcher:w]\ncmd = /bin/sleep 100000\nnumprocesses = {count}\n{more}")
        self.count = count
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "circus.circusd", "--log-level", "error", str(config)],
            env={**os.environ, "RUNTIME_DIRECTORY": str(self.folder)},
        )
        self.client = CircusClient(endpoint=self.endpoint, timeout=120.0)

    def up(self) -> float:
        """Seconds from the start of circusd to that of its last worker."""
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


@contextlib.contextmanager
def floor(name: str, argument: str) -> Iterator[subprocess.Popen[bytes]]:
    """One of the programs of floors.py."""
    command = [sys.executable, FLOORS, name, argument]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        if name in ("echo", "respawn"):
            process.kill()


def floor_up(name: str, count: int) -> tuple[float, float]:
    """Seconds that a loop takes to start as many, and to end them."""
    began = time.perf_counter()
    with floor(name, str(count)) as process:
        assert process.stdout is not None
        process.stdout.readline()
        up = time.perf_counter() - began
        began = time.perf_counter()
    return up, time.perf_counter() - began


def floor_respawn(count: int, rounds: int) -> float:
    """Median seconds from a death to the pid of the next, with as many workers."""
    with floor("respawn", str(count)) as process:
        assert process.stdout is not None
        pids = [int(process.stdout.readline()) for _ in range(count)]
        times = []
        for pid in pids[:rounds]:
            began = time.perf_counter()
            os.kill(pid, signal.SIGKILL)
            pids.append(int(process.stdout.readline()))
            times.append(time.perf_counter() - began)
        for pid in pids[rounds:]:
            process.kill()
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    return statistics.median(times)


def respawn(daemon: Daemon) -> float:
    """Seconds from the death of a worker to the pid of its successor."""
    before = set(daemon.pids())
    began = time.perf_counter()
    os.kill(min(before), signal.SIGKILL)
    while daemon.client.send_message("numprocesses", name="w")["numprocesses"] < daemon.count:
        pass
    while not set(daemon.pids()) - before:
        pass
    return time.perf_counter() - began


def massacre(daemon: Daemon, count: int) -> float:
    """Seconds until as many that were killed at once are all back."""
    before = set(daemon.pids())
    began = time.perf_counter()
    victims = sorted(before)[:count]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    while len(set(daemon.pids()) - set(victims)) < daemon.count:
        time.sleep(0.002)
    return time.perf_counter() - began


def round_trips(endpoint: str, count: int) -> list[float]:
    """Seconds of each of so many questions."""
    client = CircusClient(endpoint=endpoint, timeout=60.0)
    times = []
    for _ in range(count):
        began = time.perf_counter()
        client.send_message("status")
        times.append(time.perf_counter() - began)
    client.stop()
    return times


def throughput(endpoint: str) -> float:
    """Questions answered in a second, with many who ask."""
    threads = [threading.Thread(target=round_trips, args=(endpoint, 300)) for _ in range(CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return CLIENTS * 300 / (time.perf_counter() - began)


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


def show(name: str, unit: str, ours: float, least: float | None = None) -> None:
    """One line."""
    ratio = "" if not least else f"{least:12.3f} {ours / least:7.2f} x"
    print(f"{name:38} {ours:12.3f} {unit:4}{ratio}", flush=True)


def ups(label: str, loop: str, more: str, args: argparse.Namespace) -> None:
    """From nothing to all up, and down again."""
    ours, least = [], []
    for _ in range(args.rounds):
        least.append(floor_up(loop, args.workers))
        daemon = Daemon(args.workers, more)
        ours.append((daemon.up(), daemon.close()))
    for title, index in ((f"all up{label}", 0), (f"all stopped{label}", 1)):
        show(title, "s", *(statistics.median(one[index] for one in both) for both in (ours, least)))


def median(measure: Callable[[], float], rounds: int) -> float:
    """Of so many tries."""
    return statistics.median(measure() for _ in range(rounds))


def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print(f"{'':38} {'circusd':>12}     {'floor':>12}   ratio   ({args.workers} workers)")
    ups("", "popen", "", args)
    if os.geteuid() == 0:
        ups(", user and limits", "launcher", IDENTITY, args)
    for count in (10, args.workers):
        daemon = Daemon(count)
        daemon.up()
        ours = median(lambda daemon=daemon: respawn(daemon), 9)  # type: ignore[misc]  # bound now
        least = floor_respawn(count, min(9, count))
        show(f"killed to successor, {count}", "ms", 1000 * ours, 1000 * least)
        if count == args.workers:
            show("half killed at once, all back", "s", massacre(daemon, count // 2))
            began = cpu(daemon.process.pid)
            time.sleep(30)
            show("idle CPU in 30 s", "ms", 1000 * (cpu(daemon.process.pid) - began))
            show("memory (PSS)", "MiB", pss(daemon.process.pid))
            with tempfile.TemporaryDirectory() as folder, floor("echo", f"ipc://{folder}/e"):
                echo = f"ipc://{folder}/e"
                ends = (daemon.endpoint, echo)
                trips = [1000 * statistics.median(round_trips(end, 1000)) for end in ends]
                show("round trip, median", "ms", *trips)
                show(f"questions from {CLIENTS} clients", "/s", *(throughput(end) for end in ends))
        daemon.close()


if __name__ == "__main__":
    main()
