"""Limits of workers where every controller is delegated: met, told, changed as they run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.systemd.machine import TREE
from tests.vm.machine import EMULATED, PATIENCE

if TYPE_CHECKING:
    from tests.systemd.conftest import Unit

pytestmark = EMULATED

LEAF = f"{TREE}/watcher-web/1"
EVERY = """
[watcher:web]
cmd = sleep 1000
memory_max = 64M
memory_high = 48M
cpu_quota = 150%
cpu_weight = 50
tasks_max = 10
io_weight = 200
"""
WRITTEN = {
    "memory.max": "67108864",
    "memory.high": "50331648",
    "cpu.max": "150000 100000",
    "cpu.weight": "50",
    "pids.max": "10",
    "io.weight": "default 200",
}
USUAL = {
    "memory.max": "max",
    "memory.high": "max",
    "cpu.max": "max 100000",
    "cpu.weight": "100",
    "pids.max": "max",
    "io.weight": "default 100",
}
FORKS = """
import os, signal
for _ in range(20):
    try:
        if os.fork() == 0:
            signal.pause()
    except BlockingIOError:
        pass
signal.pause()
"""


def written(unit: Unit) -> dict[str, str]:
    """What the files of the worker's cgroup say."""
    lines = unit.says(f"cd {LEAF} && head -qn 1 {' '.join(WRITTEN)}").splitlines()
    return dict(zip(WRITTEN, lines, strict=True))


def until(unit: Unit, condition: str) -> None:
    """Return once a command succeeds there.

    It pauses in between: the looks alone would keep a processor busy that is that slow.
    """
    unit.run(f"until {condition}; do sleep 1; done", timeout=PATIENCE)


def counted(unit: Unit, name: str) -> int:
    """What the kernel has counted of its memory."""
    return int(unit.says(f"sed -n 's/^{name} //p' {LEAF}/memory.events"))


def test_they_are_written_and_change_as_workers_run(unit: Unit) -> None:
    unit.start(EVERY)
    assert written(unit) == WRITTEN
    enabled = set(unit.says(f"cat {TREE}/cgroup.subtree_control").split())
    assert enabled == {"cpu", "io", "memory", "pids"}
    workers = unit.pids("sleep")
    unit.run("circusctl set web memory_max 128M cpu_quota infinity io_weight 300")
    until(unit, f"grep -q 300 {LEAF}/io.weight")
    changed = {"memory.max": "134217728", "cpu.max": "max 100000", "io.weight": "default 300"}
    assert written(unit) == {**WRITTEN, **changed}
    unit.write("[watcher:web]\ncmd = sleep 1000\n")
    unit.run("circusctl reloadconfig --waiting")
    until(unit, f"grep -q 100 {LEAF}/io.weight")
    assert written(unit) == USUAL
    assert unit.pids("sleep") == workers


def test_nothing_is_handed_down_before_it_is_asked_for(unit: Unit) -> None:
    unit.start("[watcher:web]\ncmd = sleep 1000\n")
    assert unit.says(f"cat {TREE}/cgroup.subtree_control") == ""
    workers = unit.pids("sleep")
    unit.run("circusctl set web tasks_max 5")
    until(unit, f"grep -qx 5 {LEAF}/pids.max")
    assert unit.pids("sleep") == workers


def test_who_is_killed_for_its_memory_is_told_as_that(unit: Unit) -> None:
    unit.start(
        "[watcher:hog]\ncmd = tail /dev/zero\nmemory_max = 32M\nrespawn = False\n"
        "[watcher:parent]\ncmd = sh -c 'tail /dev/zero; sleep 1000'\nmemory_max = 32M\n"
    )
    why = "was killed: out of memory (memory_max 32M)"
    until(unit, f"circusctl why hog | grep -qF '{why}'")
    assert re.search(rf"^hog\.1 \(pid \d+\) {re.escape(why)}$", unit.journal(), re.MULTILINE)
    assert why in unit.says("circusctl --json events --since 0 | grep hog.reap")
    until(unit, "journalctl -q -u circus -g '^parent.1 .* lost ' >/dev/null")
    lost = r"^parent\.1 \(pid \d+\) lost 1 of its processes: out of memory \(memory_max 32M\)$"
    assert re.search(lost, unit.journal(), re.MULTILINE)
    assert unit.says("circusctl status parent") == "active"


def test_who_is_above_memory_high_is_slowed_down(unit: Unit) -> None:
    unit.start("[watcher:web]\ncmd = tail /dev/zero\nmemory_high = 16M\n")
    until(unit, f"grep -qx 'high [1-9][0-9]*' {LEAF}/memory.events")
    assert counted(unit, "oom_kill") == 0
    assert unit.says("circusctl status web") == "active"


def test_what_was_refused_for_too_many_tasks_is_told(unit: Unit) -> None:
    unit.machine.write("/etc/circus/forks.py", FORKS)
    unit.start("[watcher:web]\ncmd = python3 /etc/circus/forks.py\ntasks_max = 5\n")
    until(unit, "journalctl -q -u circus -g '^web: the kernel refused' >/dev/null")
    told = r"^web: the kernel refused to start \d+ process.*, the last in worker 1: tasks_max 5$"
    assert len(re.findall(told, unit.journal(), re.MULTILINE)) == 1
    assert unit.says(f"cat {LEAF}/pids.current") == "5"


def share(unit: Unit) -> float:
    """Of one processor, that the worker has for some seconds: a rate takes time."""
    look = f"cut -d' ' -f1 /proc/uptime; sed -n 's/^usage_usec //p' {LEAF}/cpu.stat"
    began, used, ended, used_then = map(float, unit.says(f"{look}; sleep 4; {look}").split())
    return (used_then - used) / 1e6 / (ended - began)


def test_a_quota_takes_processor_time_away_and_gives_it_back(unit: Unit) -> None:
    unit.start("[watcher:web]\ncmd = sh -c 'while :; do :; done'\ncpu_quota = 400%\n")
    before = share(unit)
    unit.run("circusctl set web cpu_quota 20%")
    during = share(unit)
    unit.run("circusctl set web cpu_quota infinity")
    after = share(unit)
    assert during < before / 2, (before, during, after)
    assert during < after / 2, (before, during, after)


def test_a_daemon_that_was_killed_comes_back_ten_times_of_ten(unit: Unit) -> None:
    unit.adjust("[Unit]\nStartLimitIntervalSec=0\n")
    unit.start(EVERY)
    state = "systemctl show -P NRestarts -P ActiveState circus | xargs"
    for number in range(1, 11):
        before = unit.pids("sleep")
        unit.run("systemctl kill -s KILL --kill-who=main circus")
        until(unit, f"""test "$({state})" = "{number} active" """)
        assert not unit.pids("sleep") & before
        assert written(unit) == WRITTEN
    unit.run("systemctl restart circus")
    assert written(unit) == WRITTEN
    assert unit.show("Result") == "success"
