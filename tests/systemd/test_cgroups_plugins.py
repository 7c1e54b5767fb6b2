"""A worker that itself does next to nothing is judged by what it started, where it has a cgroup."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from tests.plugins.peers import Sink
from tests.support import wait_until
from tests.systemd.machine import ON_A_MACHINE, TREE

if TYPE_CHECKING:
    from tests.systemd.conftest import Unit

pytestmark = ON_A_MACHINE

BUSY_ONCE = r"""
[watcher:web]
cmd = mkdir /run/circus/$INVOCATION_ID && { while :; do :; done & }; sleep 1000
shell = True
copy_env = True
"""
"""The child of its first life keeps a processor busy; later lives have none."""
METRICS = """
[plugin:metrics]
use = circus.plugins.metrics.Metrics
file = /run/circus/metrics
loop_rate = 0.2
"""
KEEPER = """
[plugin:keeper]
use = circus.plugins.resource_watcher.ResourceWatcher
watcher = web
loop_rate = 0.5
max_count = 1
max_cpu = 30
max_mem = 1000G
health_threshold = 1000
host = 127.0.0.1
port = {port}
"""
BUCKET = "circus.resource_watcher.watcher._resource_watcher.web."


def workers(unit: Unit) -> dict[str, Any]:
    """What `stats` tells of each, by pid."""
    found: dict[str, Any] = json.loads(unit.says("circusctl --json stats web"))["info"]
    return found


def metric(unit: Unit, name: str) -> float:
    """Of the watcher; 0 while there is none."""
    text = unit.run("cat /run/circus/metrics", check=False).stdout
    found = re.search(rf'^{name}{{watcher="web"}} (\S+)$', text, re.MULTILINE)
    return 0.0 if found is None else float(found[1])


def used(unit: Unit) -> float:
    """CPU seconds that the kernel has counted for the cgroup of the worker."""
    return int(unit.says(f"sed -n 's/^usage_usec //p' {TREE}/watcher-web/1/cpu.stat")) / 1e6


def test_metrics_count_what_a_worker_started(unit: Unit) -> None:
    unit.start(BUSY_ONCE + METRICS)
    before = used(unit)
    wait_until(lambda: metric(unit, "circus_watcher_cpu_seconds_total") > before + 1)
    assert metric(unit, "circus_watcher_cpu_seconds_total") <= used(unit)
    (worker,) = workers(unit).values()
    assert worker["ctime"].startswith("0:00.")  # its own
    wait_until(lambda: next(iter(workers(unit).values()))["tree"]["cpu"] > 30)


def test_the_resource_watcher_restarts_it_once_for_its_child(unit: Unit) -> None:
    with Sink() as sink:  # the network is ours
        unit.start(BUSY_ONCE + KEEPER.format(port=sink.port))
        (before,) = workers(unit)
        sink.wait(f"{BUCKET}restarting")
        (after,) = wait_until(lambda: workers(unit).keys() - {before})
        wait_until(lambda: workers(unit)[after]["tree"]["cpu"] < 30)
        assert "web: over_cpu, 2 times in a row" in unit.journal()
        assert sink.values(f"{BUCKET}restarting") == [1]
        unit.run("systemctl stop circus")
