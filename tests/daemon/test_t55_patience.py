"""T55: what takes longer than the client's time-out is waited for, or told as what it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support import Daemon, marked, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start

SLOW = """
[watcher:slow]
cmd = trap '' TERM; echo up; while :; do sleep 0.05; done
shell = True
copy_env = True
graceful_timeout = GRACE
stdout_stream.filename = FOLDER/slow.log
"""


def start(circusd: Start, grace: float = 0.8) -> Daemon:
    daemon = circusd(SLOW.replace("GRACE", str(grace)))
    wait_until(lambda: deaf(daemon) == 1)
    return daemon


def deaf(daemon: Daemon) -> int:
    """How many workers there have been that do not listen to SIGTERM."""
    log = daemon.folder / "slow.log"
    return log.read_text().count("up") if log.exists() else 0


@pytest.mark.parametrize(
    ("line", "afterwards"),
    [
        ("stop slow --waiting", "stopped"),
        ("stop --waiting", "stopped"),
        ("restart slow --waiting", "active"),
        ("reload slow --terminate --waiting", "active"),
        ("reload slow --sequential --waiting", "active"),
        ("kill slow --waiting", "active"),
        ("set slow nice 1 --waiting", "active"),
        ("decr slow --waiting", "active"),
        ("rm slow --waiting", ""),
        ("quit --waiting", ""),
    ],
)
def test_t55_a_short_time_out_is_no_false_error(circusd: Start, line: str, afterwards: str) -> None:
    daemon = start(circusd)
    began = time.monotonic()
    ended = daemon.ctl("--timeout", "0.3", *line.split())
    assert (ended.returncode, ended.stderr) == (0, "")
    assert time.monotonic() - began > 0.8  # it did wait
    if afterwards:
        assert daemon.call("status", name="slow")["status"] == afterwards
    elif line.startswith("rm"):
        assert daemon.call("list")["watchers"] == []
    else:
        assert daemon.process.wait(timeout=30) == 0


def test_t55_without_waiting_the_answer_comes_at_once(circusd: Start) -> None:
    daemon = start(circusd, grace=30)
    assert daemon.ctl("stop", "slow").stdout == "ok\n"
    assert daemon.call("status", name="slow")["status"] == "stopping"
    # its own limit is kept all the same, and is told as a no, not as a failure
    ended = daemon.ctl("--timeout", "0.2", "wait", "slow", "--for", "stopped", "--timeout", "0.5")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr == "error: not stopped after 0.5 s: slow is stopping\n"
    daemon.call("kill", name="slow", graceful_timeout=0)


def test_t55_a_daemon_that_dies_meanwhile_is_told(circusd: Start) -> None:
    daemon = start(circusd, grace=30)
    worker = daemon.pids("slow")[0]
    command = [sys.executable, "-m", "circus.circusctl", "--endpoint", daemon.endpoint]
    with subprocess.Popen(
        [*command, "--timeout", "0.3", "stop", "slow", "--waiting"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as waiting:
        wait_until(lambda: daemon.call("status", name="slow")["status"] == "stopping")
        daemon.process.kill()
        daemon.process.wait()
        out, err = waiting.communicate(timeout=30)
    assert (waiting.returncode, out) == (1, "")
    assert err == f"Timed out. No circusd listens at {daemon.endpoint}; is it running?\n"
    os.killpg(worker, signal.SIGKILL)
    wait_until(lambda: not marked(f".{daemon.process.pid}."))
