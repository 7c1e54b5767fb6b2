"""The tree of each worker: signalled, killed, and known to be gone.

It is the worker's cgroup when it has one. Otherwise (nothing is delegated to us, or it could not be
made) it is what is found in /proc; see strays.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from functools import partial
from typing import TYPE_CHECKING

from circus.aside import aside
from circus.exc import CircusError
from circus.host import tree
from circus.host.cgroup import Delegated, Emptying, Leaf
from circus.logs import about
from circus.strays import LAST_GRACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from circus.host.tree import Found
    from circus.process import Process
    from circus.strays import Strays

logger = logging.getLogger(__name__)

AGAIN = 0.1
"""Seconds until a cgroup is watched that there was no descriptor for."""
TURN = 0.005
"""Seconds of removing before the loop may answer others."""
NAMED_MAX = 200
"""Processes of a tree that are named when they have to be killed."""


class Trees:
    """Those of all workers. Belongs to the loop's thread; never blocks."""

    def __init__(self, loop: asyncio.AbstractEventLoop, strays: Strays) -> None:
        self._loop = loop
        self._strays = strays
        self._delegated: Delegated | None = None
        self._emptying = Emptying()
        self._awaited: dict[Leaf, Callable[[], None]] = {}
        self._to_remove: dict[Leaf, None] = {}
        """Empty, in this order: the kernel takes its time when many end at once."""
        self._told: set[str] = set()
        """Why there was no cgroup for a worker, as far as it has been logged."""

    async def settle(self) -> None:
        """Take the cgroup that is delegated to us, and make an end of what is left in it.

        For a process that is circusd's alone: it moves. Once, before anything is started.
        """
        try:
            self._delegated = await aside(self._loop, Delegated.take)
        except (CircusError, OSError) as error:
            logger.info("Workers have no cgroups: %s", error)
            return
        logger.info("Each worker has a cgroup of its own below %s", self._delegated.path)
        self._loop.add_reader(self._emptying.fd, self._on_events)
        await self._clear(self._delegated)

    def close(self) -> None:
        """Wait for nothing more."""
        if self._delegated is not None:
            self._loop.remove_reader(self._emptying.fd)
            self._delegated.close()
        self._emptying.close()
        for leaf in self._to_remove:
            leaf.remove()
        self._to_remove.clear()

    # -- a life ------------------------------------------------

    @contextlib.contextmanager
    def leaf(self, name: str, wid: int) -> Iterator[Leaf | None]:
        """A cgroup for the worker that is started meanwhile, if it can have one."""
        leaf = self._make(name, wid)
        try:
            yield leaf
        except BaseException:
            if leaf is not None:
                self._remove_soon(leaf)
            raise

    def _make(self, name: str, wid: int) -> Leaf | None:
        if self._delegated is None:
            return None
        try:
            leaf = self._delegated.make(name, wid)
        except OSError as error:
            reason = f"{name}: {error.strerror}"
            if reason not in self._told:
                self._told.add(reason)
                text = "Cannot make a cgroup for %s.%d, which runs without: %s"
                logger.warning(text, name, wid, error, extra=about(name))
            return None
        self._to_remove.pop(leaf, None)  # it has the folder of the last one
        return leaf

    def born(self, process: Process) -> None:
        """A worker runs: what carries its mark is in order."""
        self._strays.born(process)

    def forget(self, process: Process) -> None:
        """It never became a worker."""
        self._strays.forget(process)
        if process.leaf is not None:
            self._remove_soon(process.leaf)

    def ended(
        self, process: Process, on_empty: Callable[[], None], grace: float, *, asked: bool
    ) -> bool:
        """Its leader ended, because that was `asked` for or by itself. Whether to wait for more.

        Then `on_empty` is called once nothing is left of it, later.
        """
        if process.leaf is None:
            return self._strays.ended(process, on_empty, grace, asked=asked)
        self._strays.forget(process)
        if process.leaf.populated():
            self._wait_for(process.leaf, on_empty)
            return True
        self._remove_soon(process.leaf)
        return False

    def signal(self, process: Process, signum: int) -> None:
        """Signal everything it left behind."""
        if process.leaf is None:
            self._strays.signal(process, signum)
        else:
            process.leaf.signal(signum)

    def kill(self, process: Process) -> None:
        """SIGKILL everything it started."""
        if process.leaf is None:
            self._strays.kill(process)
            return
        found = process.leaf.processes()
        killed = _names([one for one in found if one.pid != process.pid])
        if process.alive:
            killed.insert(0, f"{process.name}.{process.wid} (pid {process.pid})")
        process.killed += [name for name in killed if name not in process.killed]
        process.send_signal(signal.SIGKILL)  # it may not have joined yet, or have left
        process.leaf.kill()

    # -- until it is empty ------------------------------------------------

    def _wait_for(self, leaf: Leaf, on_empty: Callable[[], None]) -> None:
        self._awaited[leaf] = on_empty
        self._watch(leaf)

    def _watch(self, leaf: Leaf) -> None:
        try:
            self._emptying.watch(leaf)
        except FileNotFoundError:
            self._loop.call_soon(self._emptied, leaf)
        except OSError:
            self._loop.call_later(AGAIN, self._watch, leaf)

    def _on_events(self) -> None:
        for leaf in self._emptying.take():
            self._emptied(leaf)

    def _emptied(self, leaf: Leaf) -> None:
        self._remove_soon(leaf)
        self._awaited.pop(leaf)()

    def _remove_soon(self, leaf: Leaf) -> None:
        if not self._to_remove:
            self._loop.call_soon(self._remove_some)
        self._to_remove[leaf] = None

    def _remove_some(self) -> None:
        until = time.monotonic() + TURN
        while self._to_remove and time.monotonic() < until:
            leaf = next(iter(self._to_remove))
            del self._to_remove[leaf]
            leaf.remove()
        if self._to_remove:
            self._loop.call_soon(self._remove_some)

    # -- what another circusd left ------------------------------------------------

    async def _clear(self, delegated: Delegated) -> None:
        """Kill what is in it and is not ours, and remove what is empty then."""
        ours = {os.getpid(), *(one.pid for one in tree.below(os.getpid()))}
        ends: dict[Leaf, asyncio.Future[None]] = {}
        for leaf in (delegated.supervisor, *delegated.leaves()):
            found = leaf.processes()
            left = [one for one in found if one.pid not in ours]
            if left:
                text = "Killing what an earlier circusd left in %s: %s"
                logger.warning(text, leaf, ", ".join(_names(left)))
            # we are in it, or a worker that a round before this one let go of
            if leaf == delegated.supervisor or len(left) < len(found):
                for one in left:
                    tree.send(one, signal.SIGKILL)
                continue
            leaf.kill()
            ends[leaf] = self._loop.create_future()
            self._wait_for(leaf, partial(ends[leaf].set_result, None))
        if ends:
            await asyncio.wait(ends.values(), timeout=LAST_GRACE)
        for leaf in (one for one, end in ends.items() if not end.done()):
            logger.warning("%s is not empty: SIGKILL does not end what is in it", leaf)


def _names(found: list[Found]) -> list[str]:
    names = [str(one) for one in found[:NAMED_MAX]]
    if len(found) > NAMED_MAX:
        names.append(f"and {len(found) - NAMED_MAX} more")
    return names
