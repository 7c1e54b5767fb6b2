"""Finds what workers left behind, and says when nothing is left.

One look at /proc serves everybody who asked since the last one, and looks are spaced so that
they can never take more than a few percent of a core.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from circus.host import tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from circus.process import Process

logger = logging.getLogger(__name__)

SPACING = 20
"""Times the cost of one look, in seconds on the processor, that pass before the next."""
AGAIN = 0.01
"""Seconds until the next look after one that could not be sure."""
DOUBTS = 5
"""So many looks may be unsure because of one process; then it counts as it looks."""
LAST_GRACE = 5.0
"""Seconds that strays nobody knows have to end before circusd does."""


@dataclass
class Unwanted:
    """Processes that have to go, for nobody: SIGTERM first, SIGKILL at `deadline`."""

    what: str
    deadline: float
    asked: set[tuple[int, int]] = field(default_factory=set)
    """(pid, born) of those who have had their SIGTERM."""

    def press(self, found: Iterable[tree.Found]) -> None:
        """Ask those who have not been asked, or kill all."""
        late = time.monotonic() >= self.deadline
        signum = signal.SIGKILL if late else signal.SIGTERM
        targets = [one for one in found if late or (one.pid, one.born) not in self.asked]
        if targets:
            names = ", ".join(map(str, targets))
            logger.warning("Sending %s to what %s: %s", signum.name, self.what, names)
        for one in targets:
            self.asked.add((one.pid, one.born))
            tree.send(one, signum)


@dataclass
class Look:
    """What one look at /proc showed."""

    everyone: dict[int, tree.Found]
    owned: dict[str, list[tree.Found]] = field(default_factory=dict)
    """By the mark of the worker that they descend from."""
    nobodys: list[tree.Found] = field(default_factory=list)
    sure: bool = True
    """Whether "nothing is left" may be concluded from what is missing here."""


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
        self._to_signal: dict[str, tuple[Process, int]] = {}
        self._live: dict[str, Process] = {}
        self._abandoned: dict[str, Unwanted] = {}
        self._last: Unwanted | None = None
        self._swept: asyncio.Future[None] | None = None
        self._doubts: dict[tuple[int, int], int] = {}
        """By (pid, born): looks in a row in which it was in doubt whose it is."""
        self._handle: asyncio.TimerHandle | None = None
        self._not_before = 0.0

    def born(self, process: Process) -> None:
        """A worker runs: what carries its mark is in order."""
        self._live[process.mark] = process

    def ended(
        self, process: Process, on_empty: Callable[[], None], grace: float, *, asked: bool
    ) -> bool:
        """Its leader ended, because that was `asked` for or by itself. Whether to wait for more.

        Then `on_empty` is called once nothing of it is left. Otherwise what is found gets SIGTERM,
        and SIGKILL `grace` seconds later.
        """
        self._live.pop(process.mark, None)
        waits = asked or tree.has_group(process.pid)
        if waits:
            self._awaited[process.mark] = (process, on_empty)
        elif self._adopt:
            what = f"{process.name}.{process.wid} (pid {process.pid}) left behind"
            self._abandoned[process.mark] = Unwanted(what, time.monotonic() + grace)
        self.look_soon()
        return waits

    def forget(self, process: Process) -> None:
        """It never became a worker, or its cgroup tells what is left of it."""
        self._live.pop(process.mark, None)

    def signal(self, process: Process, signum: int) -> None:
        """Signal everything it left behind, in the next look."""
        self._to_signal[process.mark] = process, signum
        self.look_soon()

    def kill(self, process: Process) -> None:
        """SIGKILL everything it started, in the next look."""
        self._to_kill[process.mark] = process
        self._schedule(0.0)

    def sweep(self) -> asyncio.Future[None]:
        """Make an end of every orphan that came to us, whoever it belonged to.

        For when all workers are stopped. Resolves when there is none.
        """
        if self._swept is None:
            self._swept = self._loop.create_future()
            if self._adopt:
                self._last = Unwanted("is left", time.monotonic() + LAST_GRACE)
                self._schedule(0.0)
            else:
                self._swept.set_result(None)
        return self._swept

    def hurry(self) -> None:
        """Whoever is still being asked to end is killed now."""
        for unwanted in (*self._abandoned.values(), *filter(None, [self._last])):
            unwanted.deadline = 0.0
        self._schedule(0.0)

    def look_soon(self) -> None:
        """Something changed: look again, as soon as the spacing allows."""
        if self._is_needed() or self._to_kill or self._to_signal:
            self._schedule(max(0.0, self._not_before - time.monotonic()))

    def close(self) -> None:
        """Stop looking."""
        if self._handle is not None:
            self._handle.cancel()

    # -- looking ------------------------------------------------

    def _is_needed(self) -> bool:
        return bool(self._awaited or self._abandoned or self._last)

    def _schedule(self, delay: float) -> None:
        """Look in so many seconds, or earlier if that was asked for before."""
        moment = self._loop.time() + delay
        if self._handle is not None:
            if self._handle.when() <= moment:
                return
            self._handle.cancel()
        self._handle = self._loop.call_at(moment, self._look)

    def _look(self) -> None:
        self._handle = None
        began = time.thread_time()  # what others take of the machine meanwhile is not our cost
        look = self._take_look()
        for mark, (process, signum) in self._to_signal.items():
            process.leftovers = look.owned.get(mark, [])
            self._send(process, signum)
        self._to_signal.clear()
        for mark, process in self._to_kill.items():
            self._kill_tree(process, look, mark)
        self._to_kill.clear()
        self._tell_the_empty(look)
        self._press(look)
        cost = time.thread_time() - began
        self._not_before = time.monotonic() + SPACING * cost
        if self._is_needed():
            # without being its parent nobody tells us of a death: look again, but not often
            self._schedule(max(AGAIN if not look.sure else 0.25, SPACING * cost))

    def _take_look(self) -> Look:
        known = {process.pid for process in self._live.values()}
        if not self._to_kill and not self._adopt:
            return Look({})
        look = Look(tree.survey(skip=known - {p.pid for p in self._to_kill.values()}))
        self._sort(look, known)
        return look

    def _sort(self, look: Look, known: set[int]) -> None:
        """Whose are the orphans that came to us, and what is below them?"""
        me = os.getpid()
        sessions = {process.pid: mark for mark, (process, _) in self._awaited.items()}
        doubts, self._doubts = self._doubts, {}
        for found in look.everyone.values():
            if found.parent == me and found.pid not in known:
                mark = sessions.get(found.session) or tree.mark_of(found.pid)
                if found.state == "Z":
                    look.sure = False  # its children come to us in this moment, or have just come
                elif mark:
                    look.owned.setdefault(mark, []).append(found)
                elif mark is None or not self._doubt(look, found, doubts):
                    look.nobodys.append(found)
            elif found.parent not in look.everyone and found.parent not in (*known, 0, me):
                self._doubt(look, found, doubts)  # its parent has just ended, or is hidden from us
        for mine in (*look.owned.values(), look.nobodys):
            mine += tree.descendants([found.pid for found in mine], look.everyone)

    def _doubt(self, look: Look, found: tree.Found, before: dict[tuple[int, int], int]) -> bool:
        """Whether it makes this look unsure."""
        key = (found.pid, found.born)
        self._doubts[key] = before.get(key, 0) + 1
        if self._doubts[key] > DOUBTS:
            return False
        look.sure = False
        return True

    def _tell_the_empty(self, look: Look) -> None:
        for mark, (process, on_empty) in list(self._awaited.items()):
            process.leftovers = look.owned.get(mark, [])
            # the number of its group may be a stranger's by now: what comes to us tells more
            left = process.leftovers if self._adopt else tree.group_lives(process.pid)
            if look.sure and not left:
                del self._awaited[mark]
                on_empty()

    def _press(self, look: Look) -> None:
        for mark, unwanted in list(self._abandoned.items()):
            unwanted.press(look.owned.get(mark, ()))
            if look.sure and mark not in look.owned:
                del self._abandoned[mark]
        if self._last is None or self._swept is None:
            return
        everything = [*look.nobodys, *(one for mine in look.owned.values() for one in mine)]
        self._last.press(everything)
        if look.sure and not everything:
            self._last = None
            self._swept.set_result(None)

    def _kill_tree(self, process: Process, look: Look, mark: str) -> None:
        process.leftovers = list(look.owned.get(mark, ()))
        if process.alive:
            process.killed.append(f"{process.name}.{process.wid} (pid {process.pid})")
            process.leftovers += tree.descendants([process.pid], look.everyone)
        process.killed += map(str, process.leftovers)
        process.send_signal(signal.SIGKILL)
        self._send(process, signal.SIGKILL)

    def _send(self, process: Process, signum: int) -> None:
        """Signal the group of a worker, and what was found to be its own."""
        me = os.getpid()
        # as long as we have not collected a member, nobody else can have the group's number
        held = process.alive or any(
            found.parent == me and found.group == process.pid for found in process.leftovers
        )
        if held or not self._adopt:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signum)
        for found in process.leftovers:
            tree.send(found, signum)
