"""freeze and thaw: it takes a cgroup for each worker, and no controller."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import wait_until
from tests.systemd.machine import ON_A_MACHINE, TREE

if TYPE_CHECKING:
    from tests.systemd.conftest import Unit

pytestmark = ON_A_MACHINE

WEB = """
[watcher:web]
cmd = sh -c '(trap "exit 0" TERM; sleep 1000 & wait) & wait'
numprocesses = 2
graceful_timeout = 60
"""


def frozen(unit: Unit) -> list[str]:
    """What the kernel says of each worker: 1 for one of which nothing runs."""
    found = unit.run(f"cat {TREE}/watcher-web/*/cgroup.events", check=False).stdout
    return [line.split()[1] for line in found.splitlines() if line.startswith("frozen")]


def freeze(unit: Unit) -> set[str]:
    """Start it and freeze it; the pids of its workers."""
    unit.start(WEB)
    wait_until(lambda: len(unit.pids("sleep")) == 2)
    pids = set(unit.says("circusctl list web").split(","))
    assert unit.says("circusctl freeze web") == "ok"
    wait_until(lambda: frozen(unit) == ["1", "1"])
    return pids


def test_what_is_frozen_rests_and_goes_on(unit: Unit) -> None:
    pids = freeze(unit)
    assert unit.says("circusctl status web") == "frozen"
    wait_until(lambda: "web: frozen" in unit.status())
    assert unit.says("circusctl why web").count("frozen since") == 2
    assert unit.run("circusctl is-active web", check=False).returncode == 3
    unit.run("circusctl freeze web")
    assert frozen(unit) == ["1", "1"]
    unit.run("circusctl thaw web && circusctl thaw web")
    wait_until(lambda: frozen(unit) == ["0", "0"])
    assert unit.says("circusctl status web") == "active"
    assert set(unit.says("circusctl list web").split(",")) == pids
    told = unit.says("circusctl events --since 0 | grep -oE 'watcher.web.(freeze|thaw)'")
    assert told.split() == ["watcher.web.freeze", "watcher.web.thaw"]


@pytest.mark.parametrize("verb", ["restart", "reload"])
def test_others_take_the_place_of_those_that_are_frozen(unit: Unit, verb: str) -> None:
    pids = freeze(unit)
    unit.run(f"circusctl {verb} web --waiting")
    assert not pids & set(unit.says("circusctl list web").split(","))
    assert unit.says("circusctl status web") == "active"
    assert len(unit.pids("sleep")) == 2


def test_a_stop_of_what_is_frozen_asks_it_to_end(unit: Unit) -> None:
    freeze(unit)
    assert unit.says("circusctl stop web --waiting") == "ok"  # with nothing that had to be killed
    assert unit.pids("sleep") == set()


def test_what_a_frozen_worker_leaves_behind_is_asked_to_end(unit: Unit) -> None:
    for pid in freeze(unit):
        unit.run(f"kill -s KILL {pid}")
    wait_until(lambda: unit.journal().count("web.1 started") == 2)
    assert "did not stop by itself" not in unit.journal()
    assert unit.says("circusctl status web") == "active"


def test_systemd_stops_what_is_frozen(unit: Unit) -> None:
    freeze(unit)
    unit.run("systemctl stop circus")
    assert unit.show("Result") == "success"
    assert unit.pids("sleep") == set()


def test_a_daemon_that_was_killed_leaves_nothing_frozen(unit: Unit) -> None:
    before = freeze(unit)
    unit.run("systemctl kill -s KILL --kill-who=main circus")
    wait_until(lambda: unit.show("NRestarts") == "1" and unit.show("ActiveState") == "active")
    assert not before & set(unit.says("circusctl list web").split(","))
    assert frozen(unit) == ["0", "0"]
