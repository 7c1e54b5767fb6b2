"""What the web console costs beside a thousand workers, and how soon it tells.

Run as a module, from the repository: `python -m benchmarks.console`. It fails when the console is
slower or bigger than it may be.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from benchmarks.machine import cpu, pss, rest
from tests.support import Daemon, wait_until
from tests.web.console import Browser, Console
from tests.web.follow import Follower, follow, open_stream

if TYPE_CHECKING:
    from collections.abc import Callable

STREAMS = 32
OF_ONE = 4
UNREAD = 1000
ASK_EVERY = 0.005
MOST_PSS = 60.0
MOST_UPDATE = 1.0
MOST_ANSWER = 0.2
FLOOR = "import falcon, jinja2, waitress, zmq, sys; print(flush=True); sys.stdin.read()"
"""A program that has what the console is made with, and does nothing."""
KILLED = 20


def main() -> int:
    """Returns the exit status."""
    args = arguments(watchers=20)
    daemon = Daemon(config(args.workers, args.watchers)).wait()
    try:
        wait_until(lambda: ready(daemon) == args.workers, within=120)
        console = Console(daemon, f"streams = {STREAMS}\n")
        try:
            return report(daemon, console)
        finally:
            console.stop()
    finally:
        daemon.stop()


def arguments(*, watchers: int) -> argparse.Namespace:
    """What the command line says; `watchers` unless it says how many."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument(
        "--watchers", type=int, default=watchers, help="that they are divided among"
    )
    return parser.parse_args()


def config(workers: int, watchers: int) -> str:
    """With statistics, as the console is at its most eager then."""
    each = workers // watchers
    parts = [f"[watcher:w{n}]\ncmd = sleep 3600\nnumprocesses = {each}\n" for n in range(watchers)]
    return "[circus]\nstatsd = True\n" + "".join(parts)


def ready(daemon: Daemon) -> int:
    """How many workers run, of those that the configuration names."""
    watchers = daemon.call("why")["watchers"]
    named = [one for one in watchers if one["name"].startswith("w")]
    return sum(slot["state"] == "ready" for one in named for slot in one["slots"])


def report(daemon: Daemon, console: Console) -> int:
    """Measure, print, and judge."""
    sessions = [logged_in(console) for _ in range(STREAMS // OF_ONE)]
    good = [tell("memory (PSS) of an idle Python with the same libraries", floor(), "MiB")]
    good.append(tell("memory (PSS) without readers", pss([console.process.pid]), "MiB"))
    readers = [Reader(follow(one)) for one in sessions for _ in range(OF_ONE)]
    wait_until(lambda: all(one.updates > 2 for one in readers))
    others = [daemon.process.pid, *daemon.pids("circusd-stats")]
    console_cpu, others_cpu = spent([console.process.pid], others)
    good.append(tell(f"CPU with {STREAMS} readers", 100 * console_cpu, "%"))
    good.append(tell("CPU of circusd and circusd-stats then", 100 * others_cpu, "%"))
    memory = pss([console.process.pid])
    good.append(tell(f"memory (PSS) with {STREAMS} readers", memory, "MiB", MOST_PSS))
    good.append(updates(daemon, readers))
    for one in readers:
        one.close()
    good.append(crowd(sessions[0]))
    good.append(tell("memory (PSS) after all that", pss([console.process.pid]), "MiB", MOST_PSS))
    return 0 if all(good) else 1


def tell(what: str, value: float, unit: str, most: float | None = None) -> bool:
    """Print a line; whether it is as it has to be."""
    bound = "" if most is None else f"  (at most {most:g})"
    print(f"{what:<60} {value:8.2f} {unit}{bound}", flush=True)
    return most is None or value <= most


def logged_in(console: Console) -> Browser:
    """Somebody else each time."""
    console.login("read")
    found = Browser(console.port)
    found.cookies = dict(console.cookies)
    return found


def floor() -> float:
    """MiB."""
    command = [sys.executable, "-c", FLOOR]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = pss([process.pid])
        process.communicate()
    return found


def spent(*groups: list[int], seconds: float = 20.0) -> list[float]:
    """The share of one core that these processes take."""
    before = [cpu(pids) for pids in groups]
    rest(seconds)
    after = [cpu(pids) for pids in groups]
    return [(late - early) / seconds for early, late in zip(before, after, strict=True)]


class Reader:
    """Reads a stream in a thread, until it is closed."""

    def __init__(self, told: Follower) -> None:
        self.told = told
        self.updates = 0
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def until(self, fact: Callable[[], bool], *, within: float = 20.0) -> None:
        """Wait until that is told. Raises AssertionError."""
        with self._changed:
            assert self._changed.wait_for(fact, within)

    def close(self) -> None:
        """Read no more."""
        self.told.shut()
        self._thread.join()
        self.told.close()

    def _run(self) -> None:
        while self.told.read():
            with self._changed:
                self.updates += 1
                self._changed.notify_all()


def updates(daemon: Daemon, readers: list[Reader]) -> bool:
    """Kill a worker, and see how long it takes until the last reader knows."""
    times = []
    names = [name for name in readers[0].told.state["watchers"] if name.startswith("w")]
    for name in (names * KILLED)[:KILLED]:
        before = readers[0].told.watcher(name)["restarts"]
        pid = daemon.pids(name)[0]
        began = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        for one in readers:
            one.until(lambda: one.told.watcher(name)["restarts"] > before)  # noqa: B023 at once
        times.append(time.perf_counter() - began)
    tell("a death is told to all: median", statistics.median(times), "s")
    return tell("a death is told to all: longest", max(times), "s", MOST_UPDATE)


def crowd(browser: Browser) -> bool:
    """Ask again and again while a thousand streams are opened that nobody reads."""
    times: list[float] = []
    over = threading.Event()

    def ask() -> None:
        while not over.wait(ASK_EVERY):
            began = time.perf_counter()
            assert browser.get("/api/v1/state").status == 200
            times.append(time.perf_counter() - began)

    asking = threading.Thread(target=ask)
    asking.start()
    idle = [open_stream(browser) for _ in range(UNREAD)]
    rest(5.0)
    over.set()
    asking.join()
    for one in idle:
        one.close()
    tell(f"an answer beside {UNREAD} unread streams: median", statistics.median(times), "s")
    return tell(f"the longest of {len(times)}", max(times), "s", MOST_ANSWER)


if __name__ == "__main__":
    sys.exit(main())
