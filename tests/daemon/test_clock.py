"""Whatever happens to the wall clock, nothing is late, early or lost."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import alive, child, children, ready, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start
    from tests.support import Daemon

HOUR = 3600
YEAR = 365 * 24 * HOUR
CONFIG = f"""
[watcher:paced]
cmd = {child("exit", 1)}
max_retry = -1
backoff_delay = 0.2
backoff_factor = 1
[watcher:patient]
cmd = {child("exit", 1)}
max_retry = -1
backoff_delay = 100000
backoff_max = 100000
[watcher:rising]
cmd = sleep 3600
numprocesses = 3
warmup_delay = 0.2
ready_after = 0.2
[watcher:old]
cmd = sleep 3600
max_age = 0.5
max_age_variance = 0
[watcher:young]
cmd = sleep 3600
max_age = 100000
max_age_variance = 0
[watcher:deaf]
cmd = {child("ignore_term")}
graceful_timeout = 0.5
[watcher:given]
cmd = {child("print_signals")}
stop_signal = HUP
graceful_timeout = 100000
"""


class Clock:
    """The wall clock of those who are started while this is set up."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        found = list(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        assert found, "`make tools` installs libfaketime"
        self._file = folder / "clock"
        self.turn(0)
        for name, value in {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }.items():
            monkeypatch.setenv(name, value)

    def turn(self, seconds: int) -> None:
        """So far from the real time it is from now on."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.replace(self._file)


def test_t31_a_clock_that_is_turned_changes_nothing(
    circusd: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(tmp_path, monkeypatch)
    daemon = circusd(CONFIG)
    for name in os.environ:
        if name.startswith(("LD_PRELOAD", "FAKETIME")):
            monkeypatch.delenv(name)
    young = daemon.wait_pids("young", 1)
    given = daemon.wait_pids("given", 1)
    wait_until(lambda: daemon.restarts("patient") == 2)  # the first death is answered at once
    wait_until(lambda: len(ready(daemon.text())) >= 2)
    assert daemon.call("stop", name="given")["status"] == "ok"
    for seconds in (HOUR, -HOUR, YEAR, -YEAR, 0):
        turn_amid_everything(daemon, clock, seconds)
        assert daemon.pids("young") == young
        assert daemon.pids("given") == given
        assert daemon.restarts("patient") == 2
        assert daemon.call("status", name="given")["status"] == "stopping"
    daemon.call("stop", name="old", waiting=True)
    daemon.call("stop", name="paced", waiting=True)
    wait_until(lambda: all(alive(pid) for pid in children(daemon.process.pid)))  # no zombies
    assert daemon.call("kill", name="given", graceful_timeout=0, waiting=True)["status"] == "ok"


def turn_amid_everything(daemon: Daemon, clock: Clock, seconds: int) -> None:
    """Turn it in the middle of a start, a stop, a back-off and a life, all of which go on."""
    daemon.call("stop", name="rising", waiting=True)
    deaf = daemon.wait_pids("deaf", 1)
    wait_until(lambda: deaf[0] in ready(daemon.text()))
    old, again = daemon.wait_pids("old", 1), daemon.restarts("paced")
    daemon.call("start", name="rising")
    daemon.call("kill", name="deaf")
    clock.turn(seconds)
    assert abs(daemon.call("numwatchers")["time"] - time.time() - seconds) < 60
    wait_until(lambda: daemon.call("status", name="rising")["status"] == "active")
    wait_until(lambda: not alive(deaf[0]))
    wait_until(lambda: daemon.restarts("paced") >= again + 2)
    wait_until(lambda: daemon.pids("old") not in ([], old))
    os.kill(daemon.wait_pids("rising", 3)[0], signal.SIGKILL)
    daemon.wait_pids("rising", 3)
