"""CPU, memory and tasks of a control group, and which one a process is in."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from circus.exc import CircusError

WATCHER = "watcher-"
"""What the folder of a watcher begins with; in it each worker has one that is called by its wid."""
LEAF = re.compile(rf"(.*/{WATCHER}[^/]+/\d+)(/.*)?")


@dataclass(frozen=True, slots=True)
class Usage:
    """Of a worker with all that it started."""

    busy: float
    """CPU seconds, of all that have ever been in it."""
    memory: int | None
    """In bytes; None where the memory controller is not ours."""
    tasks: int | None
    """Processes and threads; None where the pids controller is not ours."""

    def told(self, cpu: float) -> dict[str, float]:
        """The form that `stats` has for it; `cpu` is the share in percent."""
        numbers = {"cpu": cpu, "busy": self.busy, "memory": self.memory, "tasks": self.tasks}
        return {key: number for key, number in numbers.items() if number is not None}


def usage(path: str) -> Usage:
    """What all in it have used and use."""
    cpu = re.search(rb"^usage_usec (\d+)", read(f"{path}/cpu.stat"), re.MULTILINE)
    return Usage(
        int(cpu[1]) / 1e6 if cpu is not None else 0.0,
        _number(f"{path}/memory.current"),
        _number(f"{path}/pids.current"),
    )


def leaf_of(pid: int) -> str | None:
    """The folder of the worker that a process is, None where workers have none."""
    text = read(f"/proc/{pid}/cgroup").decode("utf-8", "surrogateescape")
    try:
        found = LEAF.fullmatch(place(text, _mounts()))
    except CircusError:
        return None
    return None if found is None else found[1]


@functools.cache
def _mounts() -> str:
    return read("/proc/self/mountinfo").decode("utf-8", "surrogateescape")


def place(cgroups: str, mounts: str) -> str:
    """The folder of a process, from its /proc/PID/cgroup and mountinfo. Raises CircusError."""
    inside = re.search(r"^0::(.*)$", cgroups, re.MULTILINE)
    if inside is None:
        raise CircusError("this kernel has no cgroup v2")
    own = inside[1]
    for mount in mounts.splitlines():
        before, _, after = mount.partition(" - ")
        if not after.startswith("cgroup2 "):
            continue
        root, point = (_unescaped(text) for text in before.split()[3:5])
        root = root.rstrip("/")
        if own == root or (own.startswith(f"{root}/") and ".." not in own.split("/")):
            return (point + own.removeprefix(root)).rstrip("/")
    raise CircusError(f"cgroup {own} is not mounted here")


def read(path: str) -> bytes:
    """Nothing when it is gone, or cannot be read: that of a part for threads."""
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except OSError:
        return b""


def _number(path: str) -> int | None:
    text = read(path)
    return int(text) if text else None


def _unescaped(text: str) -> str:
    """A path as mountinfo has it: blanks and backslashes are octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
