"""Programs that do not behave: deaf ones, ones that hide, ones that write much or nothing."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import alive, child, children, pid_tree, ready, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start
    from tests.support import Daemon


def one_ready(daemon: Daemon) -> int:
    """The pid that the only rude program has printed."""
    found: list[int] = wait_until(lambda: ready(daemon.text()))
    return found[0]


def test_signals_arrive_and_stop_signal_is_what_ends_it(circusd: Start) -> None:
    daemon = circusd(f"[watcher:w]\ncmd = {child('print_signals')}\nstop_signal = USR1\n")
    assert [one_ready(daemon)] == daemon.pids("w")
    for name in ("HUP", "INT", "USR2"):
        assert daemon.ctl("signal", "w", name).returncode == 0
    wait_until(lambda: {"SIGHUP", "SIGINT", "SIGUSR2"} <= set(daemon.text().split()))
    daemon.call("stop", name="w")
    wait_until(lambda: "SIGUSR1\n" in daemon.text())
    assert daemon.call("status", name="w")["status"] == "stopping"
    daemon.call("signal", name="w", signum="TERM")
    wait_until(lambda: daemon.call("status", name="w")["status"] == "stopped")


def test_what_is_deaf_is_killed_and_named(circusd: Start) -> None:
    daemon = circusd(f"[watcher:w]\ncmd = {child('ignore_term')}\ngraceful_timeout = 0.2\n")
    pid = one_ready(daemon)
    answer = daemon.call("stop", name="w", waiting=True)
    assert not alive(pid)
    assert any(str(pid) in one for one in answer["killed"]), answer


@pytest.mark.parametrize("program", ["double_fork", "setsid_child"])
def test_t4_what_hides_is_found(circusd: Start, program: str) -> None:
    daemon = circusd(f"[watcher:w]\ncmd = {child(program)}\ngraceful_timeout = 0.5\n")
    hidden = one_ready(daemon)
    assert hidden not in daemon.pids("w")
    assert alive(hidden)
    assert daemon.call("stop", name="w", waiting=True)["status"] == "ok"
    assert not alive(hidden)
    assert children(daemon.process.pid) == []
    assert pid_tree(daemon.process.pid) == [daemon.process.pid]


def test_t22_every_line_of_a_short_life_arrives(circusd: Start) -> None:
    count = 20_000
    daemon = circusd(
        f"[watcher:w]\ncmd = {child('spew', count)}\nrespawn = False\n"
        "stdout_stream.class = FileStream\nstdout_stream.filename = FOLDER/out\n"
    )
    wait_until(lambda: daemon.call("status", name="w")["status"] == "stopped")
    out = daemon.folder / "out"
    wait_until(lambda: out.stat().st_size >= count * 100)
    first, *numbers = out.read_text().splitlines()
    assert re.fullmatch(r"ready \d+", first)
    assert [int(number) for number in numbers] == list(range(count))


def test_t29_a_closed_output_keeps_nobody_busy(circusd: Start) -> None:
    daemon = circusd(
        f"[watcher:w]\ncmd = {child('close_stdout')}\n"
        "stdout_stream.class = FileStream\nstdout_stream.filename = FOLDER/out\n"
        "stderr_stream.class = FileStream\nstderr_stream.filename = FOLDER/err\n"
    )
    (pid,) = daemon.wait_pids("w", 1)
    fd = Path(f"/proc/{pid}/fd/1")
    wait_until(lambda: (daemon.folder / "out").exists() and not fd.is_symlink())
    began = switches(daemon.process.pid)
    for _ in range(20):
        assert daemon.call("numwatchers")["status"] == "ok"
    assert daemon.pids("w") == [pid]
    # a loop that spins would be switched off and on thousands of times; this one only answers
    assert switches(daemon.process.pid) - began < 500


def switches(pid: int) -> int:
    """How often the threads of a process have been given a processor."""
    return sum(
        int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[2])
        for task in os.listdir(f"/proc/{pid}/task")
    )
