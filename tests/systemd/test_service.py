"""circus.service as systemd sees it: ready, reloaded, stopped, watched."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support import wait_until
from tests.systemd.machine import ON_A_MACHINE

if TYPE_CHECKING:
    from tests.systemd.conftest import Unit

pytestmark = ON_A_MACHINE

TWO = """
[watcher:web]
cmd = sleep 1000
numprocesses = 2
"""


def test_it_starts_and_systemctl_status_tells_the_truth(unit: Unit) -> None:
    unit.start(TWO)
    assert unit.status() == "1 watcher active, 2 workers"
    shown = unit.says("systemctl status circus")
    assert "active (running)" in shown
    assert 'Status: "1 watcher active, 2 workers"' in shown
    main = unit.show("MainPID")
    workers = unit.pids("sleep")
    assert len(workers) == 2
    assert workers | {main} <= set(re.findall(r"[├└]─(\d+)", shown))
    assert "circusd" in unit.says(f"cat /proc/{main}/cmdline")
    assert unit.says("circusctl numprocesses web") == "2"


def test_it_is_ready_only_when_its_watchers_have_started(unit: Unit) -> None:
    unit.run("mkfifo /run/gate; mkdir -p /etc/circus")
    unit.machine.write(
        "/etc/circus/gate.py",
        "def wait(watcher, arbiter, hook_name):\n    return open('/run/gate').read() == 'go'\n",
    )
    unit.write(f"{TWO}hooks.before_start = gate.wait\n[watcher:other]\ncmd = sleep 1000\n")
    unit.run("systemctl start --no-block circus")
    wait_until(lambda: "1 watcher active, 1 worker; web: " in unit.status())
    assert unit.show("ActiveState") == "activating"
    unit.run("printf go >/run/gate; rm /run/gate")
    wait_until(lambda: unit.show("ActiveState") == "active")
    assert unit.status() == "2 watchers active, 3 workers"


def test_a_watcher_that_was_given_up_does_not_hinder_the_start(unit: Unit) -> None:
    unit.start(f"{TWO}[watcher:bad]\ncmd = /nonexistent\nmax_retry = 0\n")
    assert unit.show("ActiveState") == "active"
    wait_until(lambda: unit.status() == "1 watcher active, 2 workers; bad: given up")


@pytest.mark.parametrize("name", ["circus", "circus@circus"])
def test_a_file_that_cannot_be_used_fails_the_start_once_and_in_words(
    unit: Unit, name: str
) -> None:
    unit.write(TWO.replace("= 2", "= many"))
    assert unit.run(f"systemctl start {name}", check=False).returncode == 1
    shown = "systemctl show -P NRestarts -P ExecMainStatus -P ActiveState"
    assert unit.says(f"{shown} {name}").split() == ["0", "78", "failed"]
    assert "/etc/circus/circus.ini:4: numprocesses: " in unit.says(f"systemctl status {name} || :")
    unit.write(TWO)
    unit.run(f"systemctl start {name} && systemctl stop {name}")


def test_a_reload_is_done_when_the_file_was_taken_in(unit: Unit) -> None:
    unit.start(TWO)
    main = unit.show("MainPID")
    for count in range(3, 8):
        before = unit.pids("sleep")
        unit.write(TWO.replace("= 2", f"= {count}"))
        unit.run("systemctl reload circus")
        assert len(unit.pids("sleep") - before) == count
        assert unit.show("SubState") == "running"
    assert unit.show("MainPID") == main


def test_a_broken_file_fails_the_reload_and_touches_nothing(unit: Unit) -> None:
    unit.start(TWO)
    main, workers = unit.show("MainPID"), unit.pids("sleep")
    unit.write(TWO.replace("= 2", "= many"))
    assert unit.run("systemctl reload circus", check=False).returncode == 1
    assert "/etc/circus/circus.ini:4: " in unit.journal("-p err")
    assert (unit.show("MainPID"), unit.pids("sleep")) == (main, workers)
    assert unit.show("ActiveState") == "active"


def test_a_reload_by_signal_that_fails_stands_in_the_status(unit: Unit) -> None:
    unit.start(TWO)
    workers = unit.pids("sleep")
    unit.write(TWO.replace("= 2", "= many"))
    unit.run("systemctl kill -s HUP --kill-who=main circus")
    wait_until(lambda: "the last reload failed: /etc/circus/circus.ini:4: " in unit.status())
    assert unit.pids("sleep") == workers
    unit.write(TWO)
    unit.run("systemctl reload circus")
    wait_until(lambda: unit.status() == "1 watcher active, 2 workers")


def test_a_restart_brings_new_ones(unit: Unit) -> None:
    unit.start(TWO)
    main, workers = unit.show("MainPID"), unit.pids("sleep")
    unit.run("systemctl restart circus")
    assert unit.show("MainPID") not in ("0", main)
    assert len(unit.pids("sleep")) == 2
    assert not unit.pids("sleep") & workers


def test_a_restart_of_the_daemon_alone_is_a_reload_to_systemd(unit: Unit) -> None:
    unit.start(TWO)
    main, workers = unit.show("MainPID"), unit.pids("sleep")
    unit.run("circusctl restart --waiting")
    wait_until(lambda: not unit.pids("sleep") & workers and len(unit.pids("sleep")) == 2)
    assert unit.show("MainPID") == main
    assert unit.show("ActiveState") == "active"


RUDE = """
[watcher:rude]
cmd = sh -c "trap '' TERM; setsid sleep 1000 & setsid sh -c 'sleep 1000 & sleep 1000' & wait; wait"
graceful_timeout = 0.5
"""


def test_a_stop_leaves_nothing(unit: Unit) -> None:
    unit.start(RUDE)
    wait_until(lambda: len(unit.pids("sleep")) == 3)
    unit.run("systemctl stop circus")
    assert unit.pids("sleep") == set()
    # one that is dead but not yet taken away by the kernel stands there without a pid
    assert set(unit.leftovers().split()) <= {"0"}
    assert unit.show("Result") == "success"


def test_a_stop_leaves_nothing_of_a_daemon_that_was_killed(unit: Unit) -> None:
    unit.write(RUDE)
    for _ in range(10):
        unit.run("systemctl start circus")
        wait_until(lambda: len(unit.pids("sleep")) == 3)
        unit.run("kill -KILL $(systemctl show -P MainPID circus); systemctl stop circus")
        assert unit.pids("sleep") == set()
        assert set(unit.leftovers().split()) <= {"0"}
        # it may start only ten times in a minute; systemd may have forgotten it, and that, already
        unit.run("systemctl reset-failed circus", check=False)


def test_a_daemon_that_was_killed_comes_back_alone(unit: Unit) -> None:
    unit.start(RUDE)
    wait_until(lambda: len(unit.pids("sleep")) == 3)
    before = unit.pids("sleep")
    unit.run("systemctl kill -s KILL --kill-who=main circus")
    wait_until(lambda: unit.show("NRestarts") == "1" and unit.show("ActiveState") == "active")
    assert not unit.pids("sleep") & before, unit.journal()
    wait_until(lambda: unit.pids("sleep"))
    unit.run("systemctl stop circus")
    assert unit.pids("sleep") == set()


def test_a_long_stop_is_no_failure(unit: Unit) -> None:
    unit.adjust("[Service]\nTimeoutStopSec=1\n")
    unit.start(RUDE.replace("0.5", "3"))
    unit.run("systemctl stop circus")
    assert unit.show("Result") == "success"
    assert "timed out" not in unit.journal()


def test_a_daemon_that_hangs_is_started_again(unit: Unit) -> None:
    unit.adjust("[Service]\nWatchdogSec=1\n")
    unit.start(TWO)
    # fed, it lives
    fed = unit.show("WatchdogTimestampMonotonic")
    wait_until(lambda: unit.show("WatchdogTimestampMonotonic") != fed)
    assert unit.show("NRestarts") == "0"
    unit.run("systemctl kill -s STOP --kill-who=main circus")
    wait_until(lambda: unit.show("NRestarts") == "1" and unit.show("ActiveState") == "active")
    assert "Watchdog timeout" in unit.journal()
    assert len(unit.pids("sleep")) == 2


def test_workers_are_told_nothing_of_the_daemons_service(unit: Unit) -> None:
    unit.start("[watcher:web]\ncmd = sleep 1000\ncopy_env = True\n")
    (worker,) = unit.pids("sleep")
    environment = unit.says(f"tr '\\0' '\\n' </proc/{worker}/environ")
    assert "INVOCATION_ID=" in environment
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_"):
        assert name not in environment


def test_another_one_runs_beside_it(unit: Unit) -> None:
    unit.start(TWO)
    unit.machine.write("/etc/circus/more.ini", "[watcher:more]\ncmd = sleep 1000\n")
    unit.run("systemctl start circus@more")
    assert unit.says("systemctl show -P StatusText circus@more") == "1 watcher active, 1 worker"
    asked = "RUNTIME_DIRECTORY=/run/circus/more circusctl list"
    assert unit.says(asked) == "more"
    unit.run("systemctl stop circus@more")
    assert unit.says(asked) == "web"  # what this machine has otherwise
    assert len(unit.pids("sleep")) == 2


def test_a_user_runs_one_without_rights(unit: Unit) -> None:
    unit.run("useradd --create-home ann")
    unit.loginctl("enable-linger ann")
    home = "/home/ann/.config/circus"
    unit.machine.write(f"{home}/circus.ini", TWO)
    user = "systemctl --user --machine=ann@.host"
    wait_until(lambda: unit.run(f"{user} start circus", check=False).returncode == 0)
    assert unit.says(f"{user} show -P StatusText circus") == "1 watcher active, 2 workers"
    assert unit.says("ps -o user= -C sleep | sort -u") == "ann"
    unit.machine.write(f"{home}/circus.ini", TWO.replace("= 2", "= many"))
    assert unit.run(f"{user} restart circus", check=False).returncode == 1
    assert unit.says(f"{user} show -P NRestarts -P ActiveState circus").split() == ["0", "failed"]
    assert unit.pids("sleep") == set()
    unit.loginctl("disable-linger ann")
