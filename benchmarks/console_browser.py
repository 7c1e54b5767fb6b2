"""What a browser has to do for the page of all watchers, and how soon it shows what happened.

Run as a module, from the repository: `python -m benchmarks.console_browser`. It takes Debian's
Chromium, and fails when the page is slower than it may be.
"""

from __future__ import annotations

import os
import signal
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.console import arguments, config, ready, tell
from benchmarks.machine import rest
from tests.browser.chromium import Chromium
from tests.support import Daemon, wait_until
from tests.web.console import Console

if TYPE_CHECKING:
    import argparse

MOST_PAINT, MOST_UPDATE, MOST_TASK = 1.0, 1.0, 0.2
WATCHED = 10.0
"""Seconds of updates in which the longest task is looked for."""
KILLED = 10
TASKS = """
window.longest = 0;
new PerformanceObserver((list) => {
    for (const one of list.getEntries()) window.longest = Math.max(window.longest, one.duration);
}).observe({ type: "longtask", buffered: true });
"""
PAINT = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime || 0"


def main() -> int:
    """Returns the exit status."""
    args = arguments(watchers=1000)
    with ExitStack() as ended:
        daemon = Daemon(config(args.workers, args.watchers))
        ended.callback(daemon.stop)
        daemon.wait()
        wait_until(lambda: ready(daemon) == args.workers, within=120)
        console = Console(daemon)
        ended.callback(console.stop)
        chromium = Chromium(Path(ended.enter_context(tempfile.TemporaryDirectory())))
        ended.callback(chromium.quit)
        chromium.clear()
        return report(args, chromium, console)


def report(args: argparse.Namespace, chromium: Chromium, console: Console) -> int:
    """Measure, print, and judge."""
    chromium.login(console)
    chromium.open("/")
    chromium.until(lambda: chromium.count("#watchers tbody tr") > args.watchers)
    paint = chromium.until(lambda: chromium.script(PAINT))
    good = [tell(f"first paint of {args.watchers} watchers", paint / 1000, "s", MOST_PAINT)]
    chromium.script(TASKS)
    rest(WATCHED)
    longest = chromium.script("return longest") / 1000
    good.append(tell(f"longest task, then and in {WATCHED:g} s", longest, "s", MOST_TASK))
    times = [seen(chromium, console, f"w{n}") for n in range(min(KILLED, args.watchers))]
    tell("a death is seen in its row: median", statistics.median(times), "s")
    good.append(tell("a death is seen in its row: longest", max(times), "s", MOST_UPDATE))
    return 0 if all(good) else 1


def seen(chromium: Chromium, console: Console, name: str) -> float:
    """Kill a worker; seconds until its row counts that."""
    cell = f"tr[data-name={name}] .restarts"
    before = chromium.content(cell)
    began = time.perf_counter()
    os.kill(console.daemon.pids(name)[0], signal.SIGKILL)
    chromium.until(lambda: chromium.content(cell) != before)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
