"""Limits of workers where every controller is delegated: met, told, changed as they run."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from tests.support import wait_until
from tests.vm.machine import EMULATED, PATIENCE

if TYPE_CHECKING:
    from tests.systemd.conftest import Unit

pytestmark = EMULATED

TREE = "/sys/fs/cgroup/system.slice/circus.service"
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


def written(unit: Unit, leaf: str, *names: str) -> list[str]:
    """What files of a worker's cgroup say."""
    return unit.says(f"cd {TREE}/{leaf} && head -qn 1 {' '.join(names)}").splitlines()


def counted(unit: Unit, leaf: str, file: str, name: str) -> int:
    """What the kernel has counted there."""
    return int(unit.says(f"sed -n 's/^{name} //p' {TREE}/{leaf}/{file}"))


def test_they_are_written_and_change_as_workers_run(unit: Unit) -> None:
    unit.start(EVERY)
    assert written(unit, "watcher-web/1", *WRITTEN) == [*WRITTEN.values()]
    enabled = set(unit.says(f"cat {TREE}/cgroup.subtree_control").split())
    assert enabled == {"cpu", "io", "memory", "pids"}
    workers = unit.pids("sleep")
    unit.run("circusctl set web memory_max 128M cpu_quota infinity io_weight 300")
    names = ("memory.max", "cpu.max", "io.weight")
    changed = ["134217728", "max 100000", "default 300"]
    wait_until(lambda: written(unit, "watcher-web/1", *names) == changed, within=PATIENCE)
    unit.write("[watcher:web]\ncmd = sleep 1000\n")
    unit.run("circusctl reloadconfig --waiting")
    usual = ["max", "max", "max 100000", "100", "max", "default 100"]
    wait_until(lambda: written(unit, "watcher-web/1", *WRITTEN) == usual, within=PATIENCE)
    assert unit.pids("sleep") == workers


def test_nothing_is_handed_down_before_it_is_asked_for(unit: Unit) -> None:
    unit.start("[watcher:web]\ncmd = sleep 1000\n")
    assert unit.says(f"cat {TREE}/cgroup.subtree_control") == ""
    workers = unit.pids("sleep")
    unit.run("circusctl set web tasks_max 5")
    wait_until(lambda: unit.says(f"cat {TREE}/watcher-web/1/pids.max") == "5", within=PATIENCE)
    assert unit.pids("sleep") == workers


def test_who_is_killed_for_its_memory_is_told_as_that(unit: Unit) -> None:
    unit.start(
        "[watcher:hog]\ncmd = tail /dev/zero\nmemory_max = 32M\nrespawn = False\n"
        "[watcher:parent]\ncmd = sh -c 'tail /dev/zero; sleep 1000'\nmemory_max = 32M\n"
    )
    why = "was killed: out of memory (memory_max 32M)"
    wait_until(lambda: why in unit.says("circusctl why hog"), within=PATIENCE)
    assert re.search(rf"^hog\.1 \(pid \d+\) {re.escape(why)}$", unit.journal(), re.MULTILINE)
    assert why in unit.says("circusctl --json events --since 0 | grep hog.reap")
    lost = r"^parent\.1 \(pid \d+\) lost 1 of its processes: out of memory \(memory_max 32M\)$"
    wait_until(lambda: re.search(lost, unit.journal(), re.MULTILINE), within=PATIENCE)
    assert unit.says("circusctl status parent") == "active"
    assert unit.show("Result") == "success"


def test_who_is_above_memory_high_is_slowed_down(unit: Unit) -> None:
    unit.start("[watcher:web]\ncmd = tail /dev/zero\nmemory_high = 16M\n")
    wait_until(
        lambda: counted(unit, "watcher-web/1", "memory.events", "high") > 10, within=PATIENCE
    )
    assert counted(unit, "watcher-web/1", "memory.events", "oom_kill") == 0
    assert unit.says("circusctl status web") == "active"


def test_what_was_refused_for_too_many_tasks_is_told(unit: Unit) -> None:
    unit.machine.write("/etc/circus/forks.py", FORKS)
    unit.start("[watcher:web]\ncmd = python3 /etc/circus/forks.py\ntasks_max = 5\n")
    told = r"^web: the kernel refused to start \d+ process.*, the last in worker 1: tasks_max 5$"
    wait_until(lambda: re.search(told, unit.journal(), re.MULTILINE), within=PATIENCE)
    assert unit.says(f"cat {TREE}/watcher-web/1/pids.current") == "5"
    assert len(re.findall(told, unit.journal(), re.MULTILINE)) == 1


def share(unit: Unit) -> float:
    """Of one processor, that the worker had in the next seconds."""
    asked = f"cut -d' ' -f1 /proc/uptime; sed -n 's/usage_usec //p' {TREE}/watcher-web/1/cpu.stat"
    began, used = map(float, unit.says(asked).split())

    def later() -> list[float]:
        now, then = map(float, unit.says(asked).split())
        return [now - began, (then - used) / 1e6] if now - began > 5 else []

    passed, busy = wait_until(later, within=PATIENCE)
    return float(busy / passed)


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
    for number in range(1, 11):
        before = unit.pids("sleep")
        unit.run("systemctl kill -s KILL --kill-who=main circus")
        again = [str(number), "active"]
        wait_until(partial(came_back, unit, again), within=PATIENCE)
        assert not unit.pids("sleep") & before
        assert written(unit, "watcher-web/1", *WRITTEN) == [*WRITTEN.values()]
    unit.run("systemctl restart circus")
    assert written(unit, "watcher-web/1", *WRITTEN) == [*WRITTEN.values()]
    assert unit.show("Result") == "success"


def came_back(unit: Unit, wanted: list[str]) -> bool:
    """Whether systemd has started it so often, and has it as that."""
    asked = "systemctl show -P NRestarts -P ActiveState circus"
    return unit.says(asked).split() == wanted
