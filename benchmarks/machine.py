"""What /proc says about processes, and how to end all of them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SET_CHILD_SUBREAPER = 36  # prctl(2)


class TooSlow(Exception):
    """What was waited for did not happen in time."""


def wait_for(fact: Callable[[], bool], *, within: float, every: float = 0.002) -> None:
    """Return once `fact` holds. Raises TooSlow after `within` seconds."""
    until = time.perf_counter() + within
    while not fact():
        if time.perf_counter() > until:
            raise TooSlow(f"not within {within:.0f} s")
        time.sleep(every)  # nothing tells of facts in /proc


def rest(seconds: float) -> None:
    """Let so much time pass: for what a start or a death has stirred up, or as what is measured."""
    time.sleep(seconds)  # time itself is what is waited for: no fact tells that all is at rest


def everyone() -> set[int]:
    """All pids of the machine."""
    return {int(name) for name in os.listdir("/proc") if name.isdecimal()}


def comm(pid: int) -> str:
    """The name of the program that a process runs; empty when it is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return ""
    name, _, rest = text.partition("(")[2].rpartition(")")
    return "" if rest.split()[0] == "Z" else name


def below(root: int) -> list[int]:
    """The descendants of a process, nearest first."""
    parents: dict[int, list[int]] = {}
    for pid in everyone():
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
            parents.setdefault(int(text.rpartition(")")[2].split()[1]), []).append(pid)
    found = list(parents.get(root, ()))
    for pid in found:
        found += parents.get(pid, ())  # grows while we go
    return found


def cpu(pids: Iterable[int]) -> float:
    """Seconds that all threads of these processes have run so far."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                total += int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
    return total / 1e9


def pss(pids: Iterable[int]) -> float:
    """Memory of these processes in MiB, what they share counted in parts."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total / 1024


class Census:
    """Counts processes that run a program, reading each new one only until it does."""

    def __init__(self, program: str) -> None:
        self._program = program[:15]  # the kernel keeps no more
        self._others = everyone()
        self.pids: set[int] = set()

    def count(self) -> int:
        """How many run now."""
        now = everyone()
        self.pids &= now
        for pid in now - self._others - self.pids:
            if comm(pid) == self._program:
                self.pids.add(pid)
        return len(self.pids)

    def reach(self, wanted: int, *, within: float) -> None:
        """Wait until so many run. Raises TooSlow after `within` seconds.

        The fewer are missing the more often it looks: a look costs what it takes from the others.
        """
        began = time.perf_counter()
        first = self.count()
        while (found := self.count()) != wanted:
            spent = time.perf_counter() - began
            if spent > within:
                raise TooSlow(f"{found} of {wanted} after {within:.0f} s")
            pace = max(1, abs(found - first)) / max(spent, 1e-3)
            until_next = min(0.1, max(0.002, abs(wanted - found) / pace / 4))
            time.sleep(until_next)  # nothing tells of facts in /proc, and each look costs


def adopt_orphans() -> None:
    """From now on, what loses its parent below this process becomes its child."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap() -> None:
    """Take note of children that have ended, ours and those that were left to us."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def kill(pids: Iterable[int]) -> None:
    """SIGKILL to whoever of these is there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def end_everything() -> None:
    """Kill whatever runs below this process, until nothing does."""
    while found := below(os.getpid()):
        kill(found)  # those who would start others come first
        reap()
