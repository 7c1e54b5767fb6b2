"""Deaths at every moment, by the hundred and by the thousand (T32 to T36)."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import alive, children, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start

QUICK = "max_retry = -1\nbackoff_delay = 0\n"


def test_t32_a_death_at_any_moment_of_an_end_is_taken_as_it_comes(circusd: Start) -> None:
    """Each round ends 20 workers in some way while they are killed one by one."""
    daemon = circusd(f"[watcher:w]\ncmd = sleep 3600\nnumprocesses = 20\n{QUICK}")
    chance = random.Random(32)
    for _ in range(30):
        pids = daemon.wait_pids("w", 20)
        chance.shuffle(pids)
        early = chance.randrange(10)
        kill(pids[:early])
        verb = chance.choice(["stop", "restart", "kill", "reload"])
        assert daemon.call(verb, name="w")["status"] == "ok"
        kill(pids[early : early + 10])
        assert daemon.call("start", name="w")["status"] == "ok"
        kill(pids[early + 10 :])
    assert daemon.call("stop", waiting=True)["status"] == "ok"
    assert children(daemon.process.pid) == []  # and no traceback, as at every end


def kill(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):  # it is gone already
            if b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("respawn", [True, False])
def test_t33_death_by_signal_is_answered(circusd: Start, respawn: bool) -> None:  # noqa: FBT001
    daemon = circusd(f"[watcher:w]\ncmd = sleep 3600\nrespawn = {respawn}\n{QUICK}")
    for signals in (
        ["SEGV"],
        ["ABRT"],
        ["BUS"],
        ["KILL"],
        ["STOP", "KILL"],
        ["STOP", "SEGV", "CONT"],
    ):
        (victim,) = daemon.wait_pids("w", 1)
        for signum in signals:
            assert daemon.call("signal", name="w", signum=signum)["status"] == "ok"
        wait_until(lambda: not alive(victim))  # noqa: B023
        if not respawn:
            wait_until(lambda: daemon.call("status", name="w")["status"] == "stopped")
            daemon.call("start", name="w", waiting=True)
        wait_until(lambda: daemon.pids("w") not in ([], [victim]))  # noqa: B023


def test_t34_a_hint_of_a_death_that_is_none_holds_nothing_up(circusd: Start) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\nnumprocesses = 2\n")
    pids = daemon.wait_pids("w", 2)
    os.kill(pids[0], signal.SIGSTOP)  # the kernel tells of that as of a death
    for _ in range(100):
        daemon.process.send_signal(signal.SIGCHLD)
        assert daemon.pids("w") == pids
    os.kill(pids[0], signal.SIGCONT)
    assert daemon.pids("w") == pids


def test_t35_strangers_that_die_here_by_the_hundred_are_collected(circusd: Start) -> None:
    daemon = circusd(
        f"""
[watcher:parents]
cmd = for i in 1 2 3 4 5 6 7 8 9 10; do (setsid true &); done; (sleep 0 &); exit 0
shell = True
copy_env = True
numprocesses = 4
{QUICK}
[watcher:web]
cmd = sleep 3600
"""
    )
    kept = daemon.wait_pids("web", 1)
    wait_until(lambda: daemon.restarts("parents") > 40, within=60)
    assert daemon.call("stop", name="parents", waiting=True)["status"] == "ok"
    wait_until(lambda: children(daemon.process.pid) == kept)
    assert daemon.pids("web") == kept


@pytest.mark.timeout(240)  # on a machine that is busy; else half a minute
@pytest.mark.parametrize("output", [False, True])
def test_t36_respawning_for_ever_keeps_descriptors_flat(
    circusd: Start,
    output: bool,  # noqa: FBT001
) -> None:
    """10 000 times with pipes and a file, and fewer without output: a soak has those by the way."""
    stream = "stdout_stream.filename = FOLDER/w.log\nstderr_stream.filename = FOLDER/w.log\n"
    daemon = circusd(
        f"[watcher:w]\ncmd = true\nnumprocesses = 50\n{QUICK}{stream if output else ''}"
        "[watcher:bad]\ncmd = /nowhere/program\nmax_retry = -1\nbackoff_max = 0.1\n"
        f"[watcher:launched]\ncmd = true\nnice = 5\n{QUICK}",
        "--log-level",
        "error",
    )
    assert daemon.call("stop", waiting=True)["status"] == "ok"
    before = daemon.descriptors()
    assert daemon.call("start", waiting=False)["status"] == "ok"
    most, many = 0, 10_000 if output else 1000

    def is_done() -> bool:
        nonlocal most
        most = max(most, daemon.descriptors())
        # one slot tells about how far they all are, for a fiftieth of the price
        one = daemon.slots("w.1")[0]["restarts"]
        return one > many / 50 and daemon.restarts("w") > many

    wait_until(is_done, within=200)
    assert most <= before + 52 * 5  # as many as there are slots, not as there were workers
    assert daemon.call("stop", waiting=True)["status"] == "ok"
    wait_until(lambda: daemon.descriptors() <= before)
