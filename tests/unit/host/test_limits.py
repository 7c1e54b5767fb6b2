"""How limits are written for the kernel, and why one cannot be had."""

from __future__ import annotations

import pytest

from circus.host.limits import LIMITS, why_missing

KNOWN = """#subsys_name\thierarchy\tnum_cgroups\tenabled
cpu\t0\t70\t1
blkio\t0\t70\t0
memory\t7\t70\t1
"""


@pytest.mark.parametrize(
    ("controller", "why"),
    [
        ("cpu", "is not delegated to circusd (Delegate=yes in its unit)"),
        ("io", "is switched off (boot with cgroup_enable=io)"),
        ("memory", "belongs to cgroup v1 (boot with systemd.unified_cgroup_hierarchy=1)"),
    ],
)
def test_why_a_controller_is_missing(controller: str, why: str) -> None:
    assert why_missing(controller, KNOWN) == f"the {controller} controller {why}"


@pytest.mark.parametrize(
    ("option", "value", "written"),
    [
        ("memory_max", 4096, {"memory.max": "4096"}),
        ("memory_high", None, {"memory.high": "max"}),
        ("cpu_quota", 12.5, {"cpu.max": "12500 100000"}),
        ("cpu_quota", None, {"cpu.max": "max"}),
        ("cpu_weight", None, {"cpu.weight": "100"}),
        ("tasks_max", 7, {"pids.max": "7"}),
        ("io_weight", 50, {"io.weight": "50", "io.bfq.weight": "50"}),
        ("io_weight", None, {"io.weight": "100", "io.bfq.weight": "100"}),
        ("io_weight", 10000, {"io.weight": "10000", "io.bfq.weight": "1000"}),
    ],
)
def test_what_is_written(option: str, value: object, written: dict[str, str]) -> None:
    spelled = LIMITS[option].files
    assert {name: spell(value) for name, spell in spelled.items()} == written
