"""What a worker may have of the machine: written into its cgroup, which counts when it is met.

Each limit is a controller's of the kernel. Only one that is delegated to us can be had, and it has
to be handed down, from our cgroup to the watcher's and from there to the worker's. See cgroups(7).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from circus.gauges.group import read
from circus.host.cgroup import write

if TYPE_CHECKING:
    from circus.host.cgroup import Leaf

PERIOD = 100_000
"""Microseconds in which a part of a processor is handed out."""
USUAL_WEIGHT = 100
NO_CGROUP = "no cgroup is delegated to circusd (Delegate=yes in its unit)"
NAMES_BEFORE = {"io": "blkio"}
"""Controllers that /proc/cgroups calls otherwise."""


def _most(value: int | None) -> str:
    return "max" if value is None else str(value)


def _quota(percentage: float | None) -> str:
    return "max" if percentage is None else f"{round(percentage * PERIOD / 100)} {PERIOD}"


def _weight(value: int | None) -> str:
    return str(USUAL_WEIGHT if value is None else value)


def _bfq_weight(value: int | None) -> str:
    """Its scale ends at 1000; above the usual weight it is as systemd has it."""
    weight = USUAL_WEIGHT if value is None else value
    above = max(0, weight - USUAL_WEIGHT)
    return str(min(weight, USUAL_WEIGHT) + above * (1000 - USUAL_WEIGHT) // (10000 - USUAL_WEIGHT))


@dataclass(frozen=True, slots=True)
class Limit:
    """An option, by what enforces it. A kernel need not have each of the files."""

    controller: str
    files: Mapping[str, Callable[[Any], str]]


LIMITS = {
    "memory_max": Limit("memory", {"memory.max": _most}),
    "memory_high": Limit("memory", {"memory.high": _most}),
    "cpu_quota": Limit("cpu", {"cpu.max": _quota}),
    "cpu_weight": Limit("cpu", {"cpu.weight": _weight}),
    "tasks_max": Limit("pids", {"pids.max": _most}),
    "io_weight": Limit("io", {"io.weight": _weight, "io.bfq.weight": _bfq_weight}),
}
"""By the name of the option."""


def put(leaf: Leaf | None, wanted: Mapping[str, object]) -> str:
    """Values by option, None for one that is taken back. Why some have no effect, or nothing.

    It waits until a worker that has more memory than that has given it back or was killed.
    """
    asked = sorted(name for name, value in wanted.items() if value is not None)
    if leaf is None:
        return f"{', '.join(asked)} without effect: {NO_CGROUP}" if asked else ""
    try:
        missing = _hand_down(leaf, {LIMITS[name].controller for name in asked})
    except FileNotFoundError:  # its worker has ended meanwhile
        return ""
    except OSError as error:
        return f"{', '.join(asked)} without effect: {error.strerror}"
    lost = [name for name in asked if LIMITS[name].controller in missing]
    troubles = [f"{', '.join(lost)} without effect: {_why_missing(missing)}"] if lost else []
    for name, value in wanted.items():
        if name not in lost and (reason := _put_one(leaf, name, value)):
            troubles.append(f"{name} without effect: {reason}")
    return "; ".join(troubles)


def _hand_down(leaf: Leaf, controllers: set[str]) -> set[str]:
    """Let a worker's cgroup have these. Those that we do not have come back. Raises OSError."""
    watcher = os.path.dirname(leaf.path)
    ours = os.path.dirname(watcher)
    there = controllers & _words(f"{ours}/cgroup.controllers")
    for folder in (ours, watcher):  # downwards: one can hand down only what it was given
        enabled = f"{folder}/cgroup.subtree_control"
        new = there - _words(enabled)
        if new:
            write(enabled, " ".join(f"+{one}" for one in sorted(new)))
    return controllers - there


def _put_one(leaf: Leaf, option: str, value: object) -> str:
    files = {f"{leaf.path}/{name}": spelled for name, spelled in LIMITS[option].files.items()}
    there = [path for path in files if os.path.exists(path)]
    try:
        for path in there:
            write(path, files[path](value))
    except FileNotFoundError:
        return ""
    except OSError as error:
        return error.strerror or ""
    if there or value is None or not os.path.exists(leaf.path):
        return ""
    return f"this kernel has no {' or '.join(LIMITS[option].files)}"


def _why_missing(controllers: set[str]) -> str:
    known = read("/proc/cgroups").decode()
    return "; ".join(why_missing(one, known) for one in sorted(controllers))


def why_missing(controller: str, known: str) -> str:
    """Why we do not have it, and what to do. `known`: what /proc/cgroups says."""
    name = NAMES_BEFORE.get(controller, controller)
    found = re.search(rf"^{name}\t(\d+)\t\d+\t(\d)", known, re.MULTILINE)
    what = f"the {controller} controller"
    if found is not None and found[2] == "0":
        return f"{what} is switched off (boot with cgroup_enable={controller})"
    if found is not None and found[1] != "0":
        return f"{what} belongs to cgroup v1 (boot with systemd.unified_cgroup_hierarchy=1)"
    return f"{what} is not delegated to circusd (Delegate=yes in its unit)"


@dataclass(frozen=True, slots=True)
class Met:
    """How often a worker's cgroup met its limits."""

    killed: int = 0
    """Processes that were killed because there was no memory left."""
    refused: int = 0
    """Forks that would have made too many tasks."""


MEMORY_EVENTS = "memory.events"
TASKS_EVENTS = "pids.events"


def met(leaf: Leaf) -> Met:
    """So far; nothing where nobody counts."""
    return Met(_count(leaf, MEMORY_EVENTS, "oom_kill"), _count(leaf, TASKS_EVENTS, "max"))


def _count(leaf: Leaf, file: str, name: str) -> int:
    found = re.search(rf"^{name} (\d+)", read(f"{leaf.path}/{file}").decode(), re.MULTILINE)
    return 0 if found is None else int(found[1])


def _words(path: str) -> set[str]:
    return set(read(path).decode().split())
