"""Memory of all that a worker started, as plugins see it where the controller is delegated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from circus.util import human2bytes
from tests.systemd.machine import TREE
from tests.vm.machine import EMULATED
from tests.vm.test_limits import until

if TYPE_CHECKING:
    from tests.systemd.conftest import Unit

pytestmark = EMULATED

HUNGRY = Path(__file__).parents[1] / "children/hungry.py"
HUNGRY_ONCE = r"""
[watcher:web]
cmd = mkdir /run/circus/$INVOCATION_ID && { python3 /etc/circus/hungry.py 70 & }; sleep 1000
shell = True
copy_env = True
memory_max = 500M
"""
"""The child of its first life needs memory, later ones have none. A limit brings the controller."""
METRICS = """
[plugin:metrics]
use = circus.plugins.metrics.Metrics
file = /run/circus/metrics
loop_rate = 1
"""
KEEPER = """
[plugin:keeper]
use = circus.plugins.resource_watcher.ResourceWatcher
watcher = web
loop_rate = 1
max_count = 1
max_cpu = 10000
max_mem = 50M
health_threshold = 10000
"""
MANY = r"""awk '/^circus_watcher_memory_bytes/ && $2 > 7e7 { many = 1 } END { exit !many }'"""


def test_metrics_have_the_memory_of_the_cgroup(unit: Unit) -> None:
    unit.machine.write("/etc/circus/hungry.py", HUNGRY.read_text())
    unit.start(HUNGRY_ONCE + METRICS)
    until(unit, f"{MANY} /run/circus/metrics")
    assert int(unit.says(f"cat {TREE}/watcher-web/1/memory.current")) > 7e7
    (worker,) = json.loads(unit.says("circusctl --json stats web"))["info"].values()
    assert human2bytes(worker["mem_info1"]) < 1e7  # its own


def test_the_resource_watcher_restarts_a_worker_once_for_the_memory_of_its_child(
    unit: Unit,
) -> None:
    unit.machine.write("/etc/circus/hungry.py", HUNGRY.read_text())
    unit.start(HUNGRY_ONCE + KEEPER)
    before = unit.says("circusctl list web")
    until(unit, f"circusctl list web | grep -qvxE '{before}|'")
    until(unit, f"test $(cat {TREE}/watcher-web/1/memory.current) -lt 50000000")
    assert unit.journal().count("web: over_memory, 2 times in a row") == 1
    assert unit.journal().count("web stopped") == 1
