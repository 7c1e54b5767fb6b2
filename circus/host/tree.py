"""What a worker started, found without cgroups: by parent, by session, and by a mark.

Every worker leads a session and carries MARK in its environment. circusd is a subreaper, so
whatever a worker leaves behind becomes our child, and its session or its mark says whose it was.
"""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circus.gauges import process

if TYPE_CHECKING:
    from collections.abc import Iterable

MARK = "CIRCUS_WORKER"


@dataclass(frozen=True, slots=True)
class Found:
    """A process as /proc showed it; `born` (clock ticks since boot) tells a reused pid apart."""

    pid: int
    parent: int
    group: int
    session: int
    born: int
    state: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})"


def look(pid: int) -> Found | None:
    """Read one process, or None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read()
    except OSError:
        return None
    opening, closing = text.find(b"("), text.rfind(b")")
    fields = text[closing + 2 :].split()
    return Found(
        pid,
        int(fields[1]),
        int(fields[2]),
        int(fields[3]),
        int(fields[19]),
        fields[0].decode(),
        text[opening + 1 : closing].decode("utf-8", "replace"),
    )


def survey(skip: Iterable[int] = ()) -> dict[int, Found]:
    """Every process of the machine but those in `skip`. Costs about 15 µs for each."""
    passed = frozenset(skip)
    found: dict[int, Found] = {}
    for name in os.listdir("/proc"):
        if name.isdecimal() and int(name) not in passed:
            one = look(int(name))
            if one is not None:
                found[one.pid] = one
    return found


def children(pid: int) -> list[Found]:
    """The children of one process, for the price of a file for each of its threads.

    The kernel may leave one out while its siblings end (proc(5)); whoever must miss nobody takes
    a survey.
    """
    return [found for child in process.children(pid) if (found := look(child)) is not None]


def below(pid: int) -> list[Found]:
    """Everything below one process, nearest first; found by its children, and theirs."""
    found = children(pid)
    for one in found:
        found += children(one.pid)  # grows while we go
    return found


def mark_of(pid: int) -> str | None:
    """The mark of the worker that this process descends from, or None.

    Empty when it shows no environment at all, as it is for a moment while it executes a program.
    """
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            environ = file.read()
    except OSError:
        return None
    if not environ:
        return ""
    key = MARK.encode() + b"="
    for entry in environ.split(b"\0"):
        if entry.startswith(key):
            return entry[len(key) :].decode("utf-8", "replace")
    return None


def descendants(roots: Iterable[int], everyone: dict[int, Found]) -> list[Found]:
    """Those below `roots`, nearest first; the roots themselves are not among them."""
    below: dict[int, list[Found]] = {}
    for one in everyone.values():
        below.setdefault(one.parent, []).append(one)
    found: list[Found] = []
    edge = list(roots)
    while edge:
        children = [child for pid in edge for child in below.get(pid, ())]
        found += children
        edge = [child.pid for child in children]
    return found


def has_group(leader: int) -> bool:
    """Whether anything is left of the process group of `leader`, even a zombie."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def group_lives(leader: int) -> bool:
    """Whether a process of that group still runs: a zombie is for its parent to collect.

    Looks at every process of the machine, but only when anything of the group is left.
    """
    return has_group(leader) and any(
        one.group == leader and one.state not in ("Z", "X") for one in survey().values()
    )


def send(target: Found, signum: int) -> bool:
    """Signal exactly this process; False when it is gone. A reused pid is never hit."""
    try:
        fd = os.pidfd_open(target.pid)
    except ProcessLookupError:
        return False
    except OSError:
        return False
    try:
        again = look(target.pid)
        if again is None or again.born != target.born:
            return False
        with contextlib.suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(fd, signum)
        return True
    finally:
        os.close(fd)
