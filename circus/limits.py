"""What the workers of one watcher may have: handed to the kernel, and told when they met it.

A limit that cannot be had is told once, and the worker runs without it.
"""

from __future__ import annotations

import logging
import os
import select
import signal
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from circus.aside import aside
from circus.config.amounts import format_size
from circus.host import limits
from circus.host.cgroup import listen
from circus.host.limits import LIMITS, Met
from circus.logs import about

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

    from circus.config.model import WatcherConfig
    from circus.host.cgroup import Leaf
    from circus.host.reaper import Exit
    from circus.process import Process

logger = logging.getLogger(__name__)

QUIET = 60.0
"""Seconds between two warnings of a watcher about forks that were refused."""
MOURNED = 2.0
"""Seconds in which a worker that is killed for its memory has ended, if it is the one."""


class Alarms:
    """Calls back when the kernel has counted something in a file. Nothing is polled."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll = select.epoll()
        self._watched: dict[str, tuple[int, Callable[[], None]]] = {}
        self._paths: dict[int, str] = {}
        loop.add_reader(self._epoll.fileno(), self._on_events)

    def watch(self, path: str, then: Callable[[], None]) -> None:
        """From now on; where there is no such file nothing ever happens."""
        with suppress(OSError):
            fd = listen(self._epoll, path)
            self._watched[path] = fd, then
            self._paths[fd] = path

    def forget(self, path: str) -> None:
        """No more of it."""
        if path in self._watched:
            fd, _ = self._watched.pop(path)
            del self._paths[fd]
            self._epoll.unregister(fd)
            os.close(fd)

    def close(self) -> None:
        """Watch nothing more."""
        self._loop.remove_reader(self._epoll.fileno())
        for path in list(self._watched):
            self.forget(path)
        self._epoll.close()

    def _on_events(self) -> None:
        for fd, _ in self._epoll.poll(0):
            if fd in self._paths:
                with suppress(OSError):
                    os.pread(fd, 1, 0)  # it is ready again when more is counted
                self._watched[self._paths[fd]][1]()


class Limits:
    """Of the workers of one watcher. Belongs to the loop's thread; never blocks."""

    def __init__(
        self, config: WatcherConfig, loop: asyncio.AbstractEventLoop, alarms: Alarms
    ) -> None:
        self.trouble = ""
        """Why some of them have no effect; or nothing."""
        self._config = config
        self._about = about(config.name)
        self._loop = loop
        self._alarms = alarms
        self._ever = set(_wanted(config))
        """Options that may have to be taken back."""
        self._known: dict[Process, Met] = {}
        """What has been told of those that run."""
        self._writing = False
        self._stale = False
        self._closed = False
        self._refused = 0
        """Forks that no warning has told of yet."""
        self._last_refused = 0
        """The worker of the latest of them."""
        self._warning: asyncio.TimerHandle | None = None
        """While there was one not long ago."""

    # -- handed to the kernel ------------------------------------------------

    def prepare(self, leaf: Leaf | None) -> None:
        """For a worker that joins it after this."""
        wanted = _wanted(self._config)
        self._say(limits.put(leaf, wanted) if wanted else "")

    def change(self, config: WatcherConfig, running: Callable[[], Iterable[Process]]) -> None:
        """Those that are `running` have other ones soon: it may take what they have away."""
        before, self._config = _wanted(self._config), config
        wanted = _wanted(config)
        self._ever |= set(wanted)
        if wanted == before:
            return
        if self._writing:
            self._stale = True
        else:
            self._rewrite(running)

    def _rewrite(self, running: Callable[[], Iterable[Process]]) -> None:
        self._writing, self._stale = True, False
        wanted = {**dict.fromkeys(self._ever), **_wanted(self._config)}
        processes = list(running())
        leaves = [one.leaf for one in processes]
        writing = aside(self._loop, lambda: {limits.put(leaf, wanted) for leaf in leaves})

        def written(done: asyncio.Future[set[str]]) -> None:
            self._writing = False
            if self._closed:
                return
            if self._stale:
                self._rewrite(running)
                return
            for process in [one for one in processes if one in self._known]:
                self.watch(process)
            error = done.exception()
            troubles = {str(error)} if error is not None else done.result()
            self._say("; ".join(sorted(filter(None, troubles))))

        writing.add_done_callback(written)

    def _say(self, trouble: str) -> None:
        if trouble and trouble != self.trouble:
            text = "%s: %s; workers run without that"
            logger.warning(text, self._config.name, trouble, extra=self._about)
        self.trouble = trouble

    # -- told when they were met ------------------------------------------------

    def watch(self, process: Process) -> None:
        """It runs, or its limits are other ones."""
        if process.leaf is None or not process.alive:
            return
        self._known.setdefault(process, Met())
        for wanted, file, then in (
            (self._config.memory_max, limits.MEMORY_EVENTS, self._on_memory),
            (self._config.tasks_max, limits.TASKS_EVENTS, self._on_tasks),
        ):
            path = f"{process.leaf.path}/{file}"
            self._alarms.forget(path)
            if wanted is not None:
                self._alarms.watch(path, partial(then, process))

    def ended(self, process: Process, how: Exit) -> str:
        """How, in words; its cgroup is still there."""
        told = self._known.pop(process, Met())
        leaf = process.leaf
        if leaf is None:
            return str(how)
        self._forget(leaf)
        found = limits.met(leaf)
        self._add_refused(process.wid, found.refused - told.refused)
        if how.signum == signal.SIGKILL and found.killed > told.killed:
            return f"was killed: {self.out_of_memory}"
        return str(how)

    @property
    def out_of_memory(self) -> str:
        """In words."""
        most = self._config.memory_max
        return "out of memory" + ("" if most is None else f" (memory_max {format_size(most)})")

    def close(self) -> None:
        """The watcher is gone; its workers may live on."""
        self._closed = True
        for leaf in [process.leaf for process in self._known if process.leaf]:
            self._forget(leaf)
        self._known.clear()
        if self._warning is not None:
            self._warning.cancel()

    def _forget(self, leaf: Leaf) -> None:
        for file in (limits.MEMORY_EVENTS, limits.TASKS_EVENTS):
            self._alarms.forget(f"{leaf.path}/{file}")

    def _on_memory(self, process: Process) -> None:
        known = self._known.get(process)
        if known and process.leaf and limits.met(process.leaf).killed > known.killed:
            self._loop.call_later(MOURNED, self._tell_of_death, process)

    def _tell_of_death(self, process: Process) -> None:
        """If it was the worker itself, its end has been told by now."""
        known = self._known.get(process)
        if known is None or process.leaf is None:
            return
        killed = limits.met(process.leaf).killed
        if killed > known.killed:
            self._known[process] = replace(known, killed=killed)
            text = "%s.%d (pid %d) lost %d of its processes: %s"
            who = self._config.name, process.wid, process.pid
            more = killed - known.killed
            logger.warning(text, *who, more, self.out_of_memory, extra=self._about)

    def _on_tasks(self, process: Process) -> None:
        known = self._known.get(process)
        if known is None or process.leaf is None:
            return
        refused = limits.met(process.leaf).refused
        self._known[process] = replace(known, refused=refused)
        self._add_refused(process.wid, refused - known.refused)

    def _add_refused(self, wid: int, more: int) -> None:
        if more > 0:
            self._refused += more
            self._last_refused = wid
            if self._warning is None:
                self._warn()

    def _warn(self) -> None:
        """Now, and no sooner than after a while again."""
        self._warning = None
        if not self._refused:
            return
        text = "%s: the kernel refused to start %d processes or threads, the last in worker %d: %s"
        found = self._config.name, self._refused, self._last_refused
        logger.warning(text, *found, f"tasks_max {self._config.tasks_max}", extra=self._about)
        self._refused = 0
        self._warning = self._loop.call_later(QUIET, self._warn)


def _wanted(config: WatcherConfig) -> dict[str, object]:
    return {name: one for name in LIMITS if (one := getattr(config, name)) is not None}
