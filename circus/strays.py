"""Finds what workers left behind, and says when nothing is left.

One look at /proc serves everybody who asked since the last one, and looks are spaced so that
they can never take more than a few percent of a core.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from typing import TYPE_CHECKING

from circus.host import tree

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from circus.process import Process

logger = logging.getLogger(__name__)

SPACING = 20
"""Times the cost of one look that passes before the next."""


class Strays:
    """Waits for the trees of ended workers to be empty.

    `adopt`: we are a subreaper, so orphans of our workers are our children. Without it only the
    process group of a worker is known.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, adopt: bool) -> None:
        self._loop = loop
        self._adopt = adopt
        self._awaited: dict[str, tuple[Process, Callable[[], None]]] = {}
        self._to_kill: dict[str, Process] = {}
        self._live: dict[str, Process] = {}
        self._abandoned: dict[str, float] = {}
        self._asked: set[str] = set()
        """Those of the abandoned that have had their SIGTERM."""
        self._handle: asyncio.Handle | None = None
        self._not_before = 0.0

    def born(self, process: Process) -> None:
        """A worker runs: what carries its mark is in order."""
        self._live[process.mark] = process

    def ended(self, process: Process, on_empty: Callable[[], None] | None, grace: float) -> None:
        """Its leader ended. `on_empty` is called once nothing of it is left.

        Without `on_empty` nobody waits: what is found gets SIGTERM, and SIGKILL `grace` seconds
        later.
        """
        self._live.pop(process.mark, None)
        if on_empty is None:
            if not self._adopt:
                return
            self._abandoned[process.mark] = time.monotonic() + grace
        else:
            self._awaited[process.mark] = (process, on_empty)
        self.look_soon()

    def forget(self, process: Process) -> None:
        """It never became a worker."""
        self._live.pop(process.mark, None)

    def kill(self, process: Process) -> None:
        """SIGKILL everything it started, in the next look."""
        self._to_kill[process.mark] = process
        self._not_before = 0.0
        self._schedule(0.0)

    def look_soon(self) -> None:
        """Something changed: look again, as soon as the spacing allows."""
        if self._awaited or self._abandoned or self._to_kill:
            self._schedule(max(0.0, self._not_before - time.monotonic()))

    def close(self) -> None:
        """Stop looking."""
        if self._handle is not None:
            self._handle.cancel()

    def _schedule(self, delay: float) -> None:
        if self._handle is not None:
            if delay > 0:
                return
            self._handle.cancel()
        self._handle = self._loop.call_later(delay, self._look)

    def _look(self) -> None:
        self._handle = None
        began = time.monotonic()
        known = {process.pid for process in self._live.values()}
        if not self._to_kill and not self._adopt:
            everyone: dict[int, tree.Found] = {}
        else:
            everyone = tree.survey(skip=known - {p.pid for p in self._to_kill.values()})
        owned = self._sort(everyone, known)
        for mark, process in list(self._to_kill.items()):
            self._kill_tree(process, [*owned.get(mark, ()), *self._below(process, everyone)])
        self._to_kill.clear()
        for mark, (process, on_empty) in list(self._awaited.items()):
            process.leftovers = owned.get(mark, [])
            if not process.leftovers and not tree.has_group(process.pid):
                del self._awaited[mark]
                on_empty()
        self._clear_abandoned(owned)
        cost = time.monotonic() - began
        self._not_before = time.monotonic() + SPACING * cost
        if self._awaited or self._abandoned:
            # without being its parent nobody tells us of a death: look again, but not often
            self._schedule(max(0.25, SPACING * cost))

    def _sort(
        self, everyone: dict[int, tree.Found], known: set[int]
    ) -> dict[str, list[tree.Found]]:
        """Orphans that came to us, and what is below them, by the worker they belong to."""
        me = os.getpid()
        sessions = {process.pid: mark for mark, (process, _) in self._awaited.items()}
        owned: dict[str, list[tree.Found]] = {}
        for found in everyone.values():
            if found.parent != me or found.pid in known or found.state == "Z":
                continue
            mark = sessions.get(found.session) or tree.mark_of(found.pid)
            if mark is not None:
                owned.setdefault(mark, []).append(found)
        for mine in owned.values():
            mine += tree.descendants([found.pid for found in mine], everyone)
        return owned

    def _below(self, process: Process, everyone: dict[int, tree.Found]) -> list[tree.Found]:
        return tree.descendants([process.pid], everyone) if process.alive else []

    def _kill_tree(self, process: Process, others: list[tree.Found]) -> None:
        if process.alive:
            process.killed.append(f"{process.name}.{process.wid} (pid {process.pid})")
        process.send_signal(signal.SIGKILL)
        process.leftovers = others
        for found in others:
            process.killed.append(f"{found.name} (pid {found.pid})")
        process.signal_leftovers(signal.SIGKILL)

    def _clear_abandoned(self, owned: dict[str, list[tree.Found]]) -> None:
        now = time.monotonic()
        for mark, deadline in list(self._abandoned.items()):
            found = owned.get(mark)
            if not found:
                del self._abandoned[mark]
                self._asked.discard(mark)
                continue
            if now < deadline and mark in self._asked:
                continue
            signum = signal.SIGKILL if now >= deadline else signal.SIGTERM
            self._asked.add(mark)
            names = ", ".join(f"{one.name} (pid {one.pid})" for one in found)
            logger.warning("Sending %s to what %s left behind: %s", signum.name, mark, names)
            for one in found:
                tree.send(one, signum)
