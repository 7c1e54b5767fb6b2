"""A cgroup for each worker: nothing gets away from it, and it is empty when a stop is done."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import wait_until
from tests.systemd.machine import ON_A_MACHINE, TREE

if TYPE_CHECKING:
    from tests.systemd.conftest import Unit

pytestmark = ON_A_MACHINE

BOMB = Path(__file__).parents[1] / "children/bomb.py"
FORKS, KINDS = 200, 8
"""Of its ways to get away there are eight."""
GRACE = 0.5
RUDE = f"""
[watcher:web]
cmd = python3 /etc/circus/bomb.py {FORKS}
graceful_timeout = {GRACE}
"""
TWO = """
[watcher:web]
cmd = sleep 1000
numprocesses = 2

[watcher:my mail/ü]
cmd = sleep 1000
"""


def bombed(unit: Unit, forks: int = FORKS) -> None:
    """Start it, and wait until all have got away."""
    unit.machine.write("/etc/circus/bomb.py", BOMB.read_text())
    unit.start(RUDE.replace(str(FORKS), str(forks)))
    wait_until(lambda: len(unit.pids("sleep")) == forks)


def inside(unit: Unit, leaf: str) -> set[str]:
    """Pids of those in a cgroup of the unit."""
    return set(unit.says(f"cat {TREE}/{leaf}/cgroup.procs").split())


def moment(unit: Unit, text: str) -> float:
    """When a line with this text was written, in seconds."""
    line = unit.says(f"journalctl -q -u circus -o json -g '{text}' -n 1")
    return int(json.loads(line)["__REALTIME_TIMESTAMP"]) / 1e6


def test_each_worker_is_seen_in_a_cgroup_of_its_own(unit: Unit) -> None:
    unit.start(TWO)
    main = unit.show("MainPID")
    assert inside(unit, "supervisor") == {main}
    workers = [inside(unit, f"watcher-web/{wid}") for wid in (1, 2)]
    assert [len(pids) for pids in workers] == [1, 1]
    assert workers[0] | workers[1] | inside(unit, "watcher-my%20mail%2F%C3%BC/1") == unit.pids(
        "sleep"
    )
    for command in ("systemctl status circus", f"systemd-cgls --no-pager {TREE}"):
        shown = unit.says(command)
        for folder in ("supervisor", "watcher-web", "watcher-my%20mail%2F%C3%BC", "1", "2"):
            assert re.search(rf"─{folder}( \(#\d+\))?$", shown, re.MULTILINE), shown
    assert f"Each worker has a cgroup of its own below {TREE}" in unit.journal()


def test_t4_whatever_it_forked_is_gone_when_a_stop_is_answered(unit: Unit) -> None:
    bombed(unit)
    killed = unit.says("circusctl stop web --waiting")
    assert unit.pids("sleep") == set()
    assert unit.run(f"ls -d {TREE}/watcher-*", check=False).returncode != 0
    assert "web.1 (pid " in killed
    assert killed.count("sleep (pid ") == FORKS  # also those who would have heard of a SIGTERM
    assert "web.1 did not stop by itself; killed: web.1 (pid " in unit.journal()
    assert moment(unit, "web stopped") - moment(unit, "verb=stop .*outcome=begun") < GRACE + 1


def test_what_a_crash_left_is_gone_before_its_place_is_taken(unit: Unit) -> None:
    bombed(unit)
    before = unit.pids("sleep")
    unit.run(f"kill -s KILL {unit.says('circusctl list web')}")
    wait_until(lambda: unit.pids("sleep").isdisjoint(before) and len(unit.pids("sleep")) == FORKS)
    leaf = inside(unit, "watcher-web/1")
    assert unit.pids("sleep") < leaf
    assert len(leaf) == FORKS + 1
    journal = unit.journal()
    assert journal.index("killed: sleep (pid ") < journal.rindex("web.1 started, pid ")


def test_who_forks_at_once_does_so_in_its_cgroup(unit: Unit) -> None:
    unit.start('[watcher:web]\ncmd = sh -c "sleep 1000 & sleep 1000 & wait"\nnumprocesses = 20\n')
    wait_until(lambda: len(unit.pids("sleep")) == 40)
    for wid in range(1, 21):
        assert len(inside(unit, f"watcher-web/{wid}")) == 3
    assert inside(unit, "supervisor") == {unit.show("MainPID")}


def test_cgroups_that_a_worker_made_itself_go_with_it(unit: Unit) -> None:
    unit.start(
        "[watcher:web]\ngraceful_timeout = 0.5\nshell = True\n"
        "cmd = cd /sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup) && mkdir -p own/deep &&"
        " { echo 0 >own/deep/cgroup.procs; trap '' TERM; sleep 1000; }\n"
    )
    wait_until(lambda: unit.pids("sleep"))
    assert unit.pids("sleep") < inside(unit, "watcher-web/1/own/deep")
    assert "killed" in unit.says("circusctl stop web --waiting")
    assert unit.run(f"ls -d {TREE}/watcher-*", check=False).returncode != 0


def test_a_daemon_that_was_killed_starts_clean_ten_times(unit: Unit) -> None:
    unit.adjust("[Service]\nRestartSec=0\n[Unit]\nStartLimitIntervalSec=0\n")
    bombed(unit, KINDS)
    for count in range(1, 11):
        before = unit.pids("sleep")
        unit.run("systemctl kill -s KILL --kill-who=main circus")
        wait_until(lambda count=count: unit.show("NRestarts") == str(count))  # type: ignore[misc]
        wait_until(lambda: unit.show("ActiveState") == "active")
        assert unit.pids("sleep").isdisjoint(before)
        wait_until(lambda: len(unit.pids("sleep")) == KINDS)
    unit.run("systemctl stop circus")
    assert unit.pids("sleep") == set()


def test_what_a_killed_daemon_left_is_named_and_gone_at_the_next_start(unit: Unit) -> None:
    unit.adjust("[Service]\nKillMode=process\nExecStopPost=\n")  # nobody else cares
    bombed(unit, KINDS)
    before = unit.pids("sleep")
    unit.run("systemctl kill -s KILL --kill-who=main circus")
    wait_until(lambda: unit.show("NRestarts") == "1" and unit.show("ActiveState") == "active")
    assert unit.pids("sleep").isdisjoint(before)
    left = "Killing what an earlier circusd left in watcher-web/1: python3 (pid "
    assert left in unit.journal()


def test_a_user_has_them_too(unit: Unit) -> None:
    unit.run("useradd --create-home eve")
    unit.loginctl("enable-linger eve")
    unit.machine.write("/home/eve/.config/circus/circus.ini", TWO)
    user = "systemctl --user --machine=eve@.host"
    wait_until(lambda: unit.run(f"{user} start circus", check=False).returncode == 0)
    shown = unit.says(f"{user} status circus")
    assert "─supervisor\n" in shown
    assert "─watcher-web\n" in shown
    unit.run(f"{user} stop circus")
    unit.loginctl("disable-linger eve")
    assert unit.pids("sleep") == set()


def test_without_delegation_it_runs_as_ever_and_says_so(unit: Unit) -> None:
    unit.adjust("[Service]\nDelegate=no\n")
    unit.start(TWO)
    assert "Workers have no cgroups: " in unit.journal()
    assert "is not delegated to us" in unit.journal()
    assert inside(unit, ".") == unit.pids("sleep") | {unit.show("MainPID")}
