"""What the other tests here rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.vm.machine import EMULATED

if TYPE_CHECKING:
    from tests.systemd.conftest import Unit

pytestmark = EMULATED


def test_the_service_has_every_controller(unit: Unit) -> None:
    unit.start("[watcher:web]\ncmd = sleep 1000\n")
    group = unit.show("ControlGroup")
    has = unit.says(f"cat /sys/fs/cgroup{group}/cgroup.controllers").split()
    assert {"cpu", "io", "memory", "pids"} <= set(has)
    assert unit.status() == "1 watcher active, 1 worker"
