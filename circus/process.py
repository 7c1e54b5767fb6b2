"""One live child: its pid, where its output goes, and how to signal it."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any

from circus.host import tree, usage

if TYPE_CHECKING:
    from circus.exc import SpawnError
    from circus.host.reaper import Exit
    from circus.host.spawn import Order


class Process:
    """A worker that was started. Times in seconds."""

    def __init__(self, name: str, wid: int, pid: int, mark: str) -> None:
        self.name = name
        self.wid = wid
        self.pid = pid
        self.mark = mark
        self.started = time.time()
        self._born = time.monotonic()
        self._sample: tuple[float, float] | None = None
        self.report: int | None = None
        """The launcher's pipe while it is not known whether the program runs; ours to close."""
        self.order: Order | None = None
        """What the launcher was told to do, as long as there is a report to come."""
        self.failure: SpawnError | None = None
        """Why the program could not be started, once the launcher has said so."""
        self.exit: Exit | None = None
        self.killed: list[str] = []
        """What had to be killed for it to be gone, in words."""
        self.leftovers: list[tree.Found] = []

    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._born

    @property
    def alive(self) -> bool:
        """Whether its end has not been collected yet."""
        return self.exit is None

    def send_signal(self, signum: int) -> None:
        """Signal the leader. Does nothing once it has been collected: the pid is not ours then."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signum)

    def descendants(self) -> list[tree.Found]:
        """Everything below it at this moment, nearest first."""
        return tree.below(self.pid) if self.alive else []

    def children(self) -> list[tree.Found]:
        """Its direct children at this moment."""
        return tree.children(self.pid) if self.alive else []

    def info(self) -> dict[str, Any] | str:
        """What `stats` tells, read from the kernel at this moment."""
        found = usage.usage(self.pid, self._sample)
        if found is None:
            return usage.GONE
        self._sample = (found.pop("busy"), time.monotonic())
        for child in self.children():
            below = usage.usage(child.pid)
            if below is not None:
                del below["busy"]
                found["children"].append(below)
        return {**found, "started": self.started, "wid": self.wid}

    def below(self, *, children: bool, recursive: bool) -> list[tree.Found]:
        """Whom a signal to `children`, or a `recursive` one, is for."""
        if recursive:
            return self.descendants()
        return self.children() if children else []
