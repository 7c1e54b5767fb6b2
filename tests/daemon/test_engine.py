"""What circusd does with real programs, told and asked over its control socket."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support import alive, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start

STUBBORN = """
[watcher:slow]
cmd = trap '' TERM; while :; do sleep 60 & wait; done
shell = True
graceful_timeout = 60
"""
SLEEPERS = """
[watcher:web]
cmd = sleep 3600
numprocesses = 3
"""


def test_t1_t2_a_slow_stop_holds_up_nobody_else(circusd: Start) -> None:
    daemon = circusd(STUBBORN + SLEEPERS)
    daemon.wait_pids("web", 3)
    wait_until(lambda: "trap" in daemon.call("options", name="slow")["options"]["cmd"])
    assert daemon.call("stop", name="slow")["status"] == "ok"
    assert daemon.call("status", name="slow")["status"] == "stopping"
    for verb in ("stop", "start", "restart"):
        assert daemon.call(verb, name="web", waiting=True)["status"] == "ok"
    assert daemon.call("incr", name="web", waiting=True)["numprocesses"] == 4
    victim = daemon.pids("web")[0]
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(p := daemon.pids("web")) == 4 and victim not in p, within=5)
    assert daemon.call("status", name="slow")["status"] == "stopping"
    assert daemon.call("kill", name="slow", graceful_timeout=0, waiting=True)["status"] == "ok"
    wait_until(lambda: daemon.call("status", name="slow")["status"] == "stopped")


def test_t4_stopped_means_that_nothing_is_left(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:tree]
cmd = trap '' TERM; (setsid sleep 1001 &); (setsid sh -c "sleep 1002; sleep 1002" &);
    sleep 1003 & sleep 1004
shell = True
graceful_timeout = 0.5
"""
    )
    daemon.wait_pids("tree", 1)

    def sleepers() -> list[int]:
        found = []
        for name in os.listdir("/proc"):
            if name.isdecimal():
                try:
                    with open(f"/proc/{name}/environ", "rb") as file:
                        ours = f"tree.1.{daemon.process.pid}.".encode() in file.read()
                except OSError:
                    continue
                if ours and alive(int(name)):
                    found.append(int(name))
        return found

    wait_until(lambda: len(sleepers()) >= 5)
    answer = daemon.call("stop", name="tree", waiting=True)
    assert answer["status"] == "ok"
    assert sleepers() == []
    assert any("sleep" in one for one in answer["killed"])


def test_t6_t7_wrong_commands_hold_up_nobody(circusd: Start, tmp_path: object) -> None:
    text = SLEEPERS + "".join(
        f"[watcher:bad{n}]\ncmd = /nowhere/program\nmax_retry = -1\nbackoff_max = 0.2\n"
        for n in range(50)
    )
    daemon = circusd(text)
    daemon.wait_pids("web", 3)
    times = []
    for _ in range(200):
        began = time.perf_counter()
        assert daemon.call("status")["status"] == "ok"
        times.append(time.perf_counter() - began)
    assert sorted(times)[100] < 0.1
    why = daemon.call("why", name="bad7")["watchers"][0]["slots"][0]
    assert "no such file" in why["last"]
    assert daemon.call("stop", name="bad*", waiting=True)["status"] == "ok"
    # the same failure is told ever more rarely
    assert daemon.text().count("bad7.1: cannot start") < 20


@pytest.mark.parametrize("verb", ["start", "restart", "reload"])
def test_t7_a_missing_command_is_a_reason(circusd: Start, verb: str) -> None:
    daemon = circusd("[watcher:bad]\ncmd = /nowhere/program\nmax_retry = 2\n")
    answer = daemon.call(verb, name="bad", waiting=True)
    assert answer["status"] == "error"
    assert "no such file" in answer["reason"]


def test_t8_a_crash_loop_leaves_its_siblings_alone(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:mixed]
cmd = [ $(circus.wid) = 3 ] && exec sleep 3600; exit 1
shell = True
numprocesses = 3
max_retry = -1
backoff_max = 0.05
"""
    )

    def steady() -> int | None:
        slots = daemon.call("why", name="mixed")["watchers"][0]["slots"]
        third = next(slot for slot in slots if slot["wid"] == 3)
        restarts = sum(slot["restarts"] for slot in slots)
        return third["pid"] if restarts > 20 and third["restarts"] == 0 else None

    assert alive(wait_until(steady))


def test_t16_no_new_worker_between_term_and_kill(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:slow]
cmd = trap 'sleep 0.$(circus.wid); exit 0' TERM; while :; do sleep 60 & wait; done
shell = True
copy_env = True
numprocesses = 5
"""
    )
    before = set(daemon.wait_pids("slow", 5))
    daemon.call("stop", name="slow")
    seen: set[int] = set()
    while daemon.call("status", name="slow")["status"] != "stopped":
        seen |= set(daemon.pids("slow"))
    assert seen <= before


def test_t17_a_singleton_stays_one(circusd: Start) -> None:
    daemon = circusd("[watcher:one]\ncmd = sleep 3600\nsingleton = True\n")
    daemon.wait_pids("one", 1)
    for verb in ("incr", "decr", "incr"):
        assert daemon.call(verb, name="one", waiting=True)["status"] == "ok"
        assert len(daemon.pids("one")) == 1


def test_t22_the_last_output_arrives(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:loud]
cmd = head -c 1048576 /dev/zero | tr '\\0' x; kill -9 $$
shell = True
copy_env = True
respawn = False
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/loud.log
"""
    )
    log = daemon.folder / "loud.log"
    wait_until(lambda: log.exists() and log.stat().st_size == 1048576)


def test_t29_a_worker_that_closes_its_output_costs_nothing(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:quiet]
cmd = echo last words; exec sleep 3600 >&- 2>&-
shell = True
copy_env = True
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/quiet.log
"""
    )
    log = daemon.folder / "quiet.log"
    wait_until(lambda: log.exists() and log.read_text() == "last words\n")

    def ticks() -> int:
        with open(f"/proc/{daemon.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    begun = ticks()
    for _ in range(20):
        daemon.call("numwatchers")
    assert ticks() - begun < 50


@pytest.mark.parametrize("signum", ["SEGV", "ABRT", "BUS", "KILL"])
def test_t33_death_by_signal_is_answered(circusd: Start, signum: str) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\n")
    victim = daemon.wait_pids("w", 1)[0]
    assert daemon.call("signal", name="w", signum=signum)["status"] == "ok"
    wait_until(lambda: daemon.pids("w") and daemon.pids("w") != [victim])


def test_t35_t36_orphans_and_respawns_leave_nothing(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:parents]
cmd = for i in 1 2 3 4 5 6 7 8 9 10; do (setsid true &); done; (sleep 0 &); exit 0
shell = True
copy_env = True
numprocesses = 4
max_retry = -1
backoff_max = 0.01
"""
        + SLEEPERS
    )

    def restarts() -> int:
        slots = daemon.call("why", name="parents")["watchers"][0]["slots"]
        return sum(slot["restarts"] for slot in slots)

    def descriptors() -> int:
        return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))

    wait_until(lambda: restarts() > 40)
    before = descriptors()
    seen = restarts()
    wait_until(lambda: restarts() > seen + 100, within=60)
    daemon.call("stop", name="parents", waiting=True)
    assert descriptors() <= before
    assert len(daemon.pids("web")) == 3


def test_t44_the_environment_is_exact(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:bare]
cmd = env > FOLDER/bare; exec sleep 3600
shell = True
[watcher:full]
cmd = env > FOLDER/full; exec sleep 3600
shell = True
copy_env = True
[env:bare]
ONE = a=b,c $(circus.env.home)
"""
    )
    bare = daemon.folder / "bare"
    wait_until(lambda: bare.exists() and "ONE" in bare.read_text())
    names = {line.partition("=")[0] for line in bare.read_text().splitlines()}
    assert names - {"PWD", "_", "OLDPWD", "SHLVL"} == {"ONE", "CIRCUS_WORKER"}
    assert f"ONE=a=b,c {os.environ['HOME']}\n" in bare.read_text()
    full = daemon.folder / "full"
    wait_until(lambda: full.exists() and "HOME" in full.read_text())


def test_t58_many_stop_in_one_grace_period(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:many]
cmd = trap '' TERM; sleep 3600 & wait; wait
shell = True
copy_env = True
numprocesses = 60
graceful_timeout = 2
"""
    )
    daemon.wait_pids("many", 60)
    began = time.monotonic()
    assert daemon.call("stop", name="many", waiting=True)["status"] == "ok"
    assert time.monotonic() - began < 60 * 2 / 4


def test_dependencies_and_priority_give_the_order(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:app]
cmd = sleep 3600
requires = db
priority = 9
[watcher:db]
cmd = sleep 3600
ready_after = 0.3
[watcher:first]
cmd = sleep 3600
priority = 5
[watcher:lonely]
cmd = sleep 3600
requires = broken
[watcher:broken]
cmd = /nowhere/program
max_retry = 1
"""
    )
    daemon.wait_pids("app", 1)
    log = daemon.text()
    assert log.index("first.1 started") < log.index("db.1 started") < log.index("app.1 started")
    answer = daemon.call("why", name="lonely")["watchers"][0]
    assert answer["waits_for"] == "broken"
    assert daemon.call("quit", waiting=True)["status"] == "ok"
    daemon.process.wait(timeout=30)
    log = daemon.text()
    assert log.index("app stopped") < log.index("db.1 (pid")


def test_reload_keeps_the_old_when_the_new_does_not_stand(circusd: Start) -> None:
    daemon = circusd(SLEEPERS)
    old = daemon.wait_pids("web", 3)
    answer = daemon.call("reload", name="web", waiting=True)
    assert answer["info"]["stopped"] == sorted(old)
    now = daemon.wait_pids("web", 3)
    daemon.call("set", name="web", options={"ready_after": 0.5}, waiting=True)
    answer = daemon.call("set", name="web", options={"cmd": "/bin/false"}, waiting=True)
    assert answer["status"] == "error"
    assert "did not stand" in answer["reason"]
    assert daemon.pids("web") == now


def test_t41_a_second_daemon_is_refused_and_a_dead_one_replaced(circusd: Start) -> None:
    first = circusd(SLEEPERS)
    second = subprocess.run(
        [sys.executable, "-m", "circus.circusd", str(first.config)],
        capture_output=True,
        text=True,
        env={**os.environ, "RUNTIME_DIRECTORY": str(first.folder)},
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert "Traceback" not in second.stderr
    assert first.call("status")["status"] == "ok"


def test_second_signal_does_not_wait(circusd: Start) -> None:
    daemon = circusd(STUBBORN)
    daemon.wait_pids("slow", 1)
    daemon.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "Got signal SIG_TERM" in daemon.text())
    daemon.process.send_signal(signal.SIGINT)
    assert daemon.process.wait(timeout=30) == 0


def test_t3_warm_up_holds_up_nothing(circusd: Start) -> None:
    text = "".join(
        f"[watcher:warm{n}]\ncmd = sleep 3600\nnumprocesses = 3\nwarmup_delay = 5\n"
        for n in range(50)
    )
    daemon = circusd(text + SLEEPERS)
    daemon.wait_pids("web", 3)
    wait_until(lambda: daemon.call("numprocesses")["numprocesses"] >= 53)
    for _ in range(100):
        assert daemon.call("status", name="warm7")["status"] in ("starting", "active")
    assert daemon.call("restart", name="web", waiting=True)["status"] == "ok"
    assert "ERROR" not in daemon.text()
