"""Owns loop, watchers and sockets; applies a plan."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import logging
import os
import sys
import time
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

from circus.audit import Audit
from circus.changes import Changes
from circus.config.console import with_console
from circus.config.plugins import with_plugins
from circus.config.stats import NAME as STATS
from circus.config.stats import told_anew, with_stats
from circus.core.matching import matching
from circus.endpoints import Endpoints
from circus.events import Events
from circus.exc import (
    AlreadyExist,
    CircusError,
    ConflictError,
    NoWatcher,
)
from circus.gauges import process as gauge
from circus.host.reaper import Reaper
from circus.lastwords import LastWords
from circus.limits import Alarms
from circus.logs import about
from circus.orders import Orders
from circus.sockets import CircusSockets
from circus.spawner import Spawner
from circus.strays import Strays
from circus.stream import Pump
from circus.stream.beside import beside
from circus.threads import Outcome
from circus.tickets import Tickets
from circus.trees import Trees
from circus.watcher import Result, Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from circus.changes import Accepted
    from circus.config.model import CircusConfig, Config, WatcherConfig
    from circus.stream import Trouble

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Engine:
    """Everything that circusd keeps. All of it belongs to the thread of `loop`.

    `adopt`: this process is a subreaper, so what workers leave behind comes to us. `ready`:
    watchers of `config` that are made already.
    """

    def __init__(
        self,
        config: Config,
        loop: asyncio.AbstractEventLoop,
        *,
        endpoint: str = "",
        pubsub_endpoint: str = "",
        stats_endpoint: str = "",
        adopt: bool = False,
        ready: Iterable[Watcher] = (),
    ) -> None:
        self.config = config
        self.loop = loop
        self.face: object = self
        """What hooks get as the arbiter: whoever runs this engine, with methods for any thread."""
        self.endpoint = endpoint
        self.pubsub_endpoint = pubsub_endpoint
        self.stats_endpoint = stats_endpoint
        self.check_delay = config.circus.check_delay
        self.pid = os.getpid()
        self.events = Events(config.circus.event_history)
        self.audit = Audit(loop)
        self.tickets = Tickets()
        self.pump = Pump(self._on_trouble, lanes_in=beside(config.circus.stream_backend))
        self.reaper = Reaper(adopt=adopt, loop=loop)
        self._last_words = LastWords(loop, self.pump, self._reap)
        self.reaper.may_collect = self._last_words.heard
        self.strays = Strays(loop, adopt=adopt)
        self.trees = Trees(loop, self.strays)
        self.alarms = Alarms(loop)
        self.spawner = Spawner(loop)
        self.sockets = CircusSockets()
        self.stopping = False
        self._start_again = False
        self._sample: gauge.Sample | None = None
        self.ended: asyncio.Future[bool] = loop.create_future()
        """Resolves when everything is stopped; True asks for a start from anew."""
        self._watchers: dict[str, Watcher] = {}
        self._ready = {watcher.name.lower(): watcher for watcher in ready}
        self._leaving: dict[str, Watcher] = {}
        """Removed, but not gone yet."""
        self.orders = Orders(self, self._leaving.get)
        self.changes = Changes(self)
        self.followers: list[Callable[[CircusConfig], None]] = []
        """Called with the daemon's options when they, or who may operate, may have changed."""
        self.onlookers: list[Callable[[], None]] = []
        """Called when a watcher is not what it was, or the end has begun."""
        self._marks = itertools.count(1)
        self._tasks: set[asyncio.Future[Any]] = set()
        self._told: WeakSet[CircusError] = WeakSet()
        """Failures that were logged: each comes through all tasks that wait for it."""

    # -- what there is ------------------------------------------------

    @property
    def watchers(self) -> list[Watcher]:
        """All of them, by name."""
        return [self._watchers[name] for name in sorted(self._watchers)]

    def find_watcher(self, name: str) -> Watcher | None:
        """By name, upper or lower case."""
        return self._watchers.get(name.lower())

    def get_watcher(self, name: str) -> Watcher:
        """By name, upper or lower case. Raises NoWatcher."""
        watcher = self.find_watcher(name)
        if watcher is None:
            raise NoWatcher(name)
        return watcher

    def match(self, pattern: str, how: str = "glob") -> list[Watcher]:
        """Those whose name matches. Raises NotFound when none does, MessageError."""
        return [self._watchers[name] for name in matching(self._watchers, pattern, how)]

    def statuses(self) -> dict[str, str]:
        """The word for each watcher, by its name as written."""
        return {watcher.name: watcher.status() for watcher in self.watchers}

    def numprocesses(self) -> int:
        """Workers that run, of all watchers."""
        return sum(len(watcher) for watcher in self._watchers.values())

    def info(self) -> dict[str, Any]:
        """What `dstats` tells of the daemon itself."""
        found = gauge.usage(self.pid, self._sample) or {}
        self._sample = (found.pop("busy", 0.0), time.monotonic())
        return found

    def running(self) -> Config:
        """What is in use by now, whatever the file says."""
        return dataclasses.replace(
            self.config,
            watchers={name: self._watchers[name].config for name in sorted(self._watchers)},
            sockets={name: self.sockets[name].config for name in sorted(self.sockets)},
        )

    def with_helpers(self, config: Config) -> Config:
        """What a file asks for, and the watchers of its plugins, statistics and web console."""
        at = Endpoints(self.endpoint, self.pubsub_endpoint, self.stats_endpoint)
        found = with_plugins(config, at.control, at.pubsub, sys.executable)
        found = with_stats(found, at, sys.executable)
        return with_console(found, at, sys.executable, os.geteuid())

    @property
    def starts_again(self) -> bool:
        """Whether it ends only to start from anew."""
        return self._start_again

    # -- life ------------------------------------------------

    def initialize(self) -> None:
        """Bind the sockets and make the watchers. Raises CircusError; nothing is left bound."""
        self.config = self.with_helpers(self.config)
        self.sockets.prepare(self.config.sockets).commit()
        self.pump.start()
        for name, watcher in self.config.watchers.items():
            made = self._ready[name] if name in self._ready else Watcher.from_config(watcher)
            self._watchers[name] = made
            made.attach(self)

    def on_child(self) -> None:
        """SIGCHLD came."""
        self._last_words.hear()

    def _reap(self) -> None:
        if self.reaper.reap():
            self.strays.look_soon()

    def reopen(self) -> None:
        """Open every log and output file anew, after they were moved away."""
        self.pump.reopen()

    def close_sockets(self) -> None:
        """Give up what we listen on."""
        self.sockets.close_all()

    def close(self) -> None:
        """The very end: read what is left in the pipes, close everything."""
        self.audit.sum_up()
        self.orders.close()
        self.strays.close()
        self.trees.close()
        self.alarms.close()
        self._last_words.close()
        self.reaper.close()
        for watcher in self._watchers.values():
            watcher.close()
        self.pump.close(within=2.0)
        self.close_sockets()

    # -- actions ------------------------------------------------

    def add(self, config: WatcherConfig, *, start: bool = False) -> Result:
        """Take in a watcher at run time. Raises AlreadyExist, ArgumentError."""
        self.refuse_new(config)
        watcher = self.take_in(config)
        self.people_changed()
        return Outcome.of(self.orders.start_one(watcher)) if start else self.keep(_nothing())

    def refuse_new(self, config: WatcherConfig) -> None:
        """Raises AlreadyExist, ArgumentError, ConflictError for a watcher that cannot be added."""
        self.refuse_when_stopping()
        if config.name.lower() in self._watchers:
            raise AlreadyExist(f"{config.name!r} already exist")
        self.changes.refuse_loops(config)
        self.changes.refuse_unknown_sockets(config)

    def take_in(self, config: WatcherConfig) -> Watcher:
        """A watcher that is known to be new and to go with the others; it is not started."""
        watcher = Watcher.from_config(config)
        self.take_in_ready(watcher)
        return watcher

    def take_in_ready(self, watcher: Watcher) -> None:
        """The same with one that is made already."""
        self._watchers[watcher.name.lower()] = watcher
        watcher.attach(self)
        self.events.tell(watcher.name, "add")

    def remove(self, name: str, *, nostop: bool = False) -> Result:
        """Stop and forget a watcher at run time; with `nostop` its workers live on without us."""
        result = self.take_out(name, nostop=nostop)
        self.people_changed()
        return result

    def take_out(self, name: str, *, nostop: bool = False) -> Result:
        """The same when that is but a part of what changes."""
        watcher = self.get_watcher(name)
        self.orders.forget(watcher)
        del self._watchers[name.lower()]
        self.events.tell(watcher.name, "remove")
        if nostop:
            watcher.let_go()
            self.orders.gone(watcher)
            return self.keep(_nothing())
        return self._see_off(watcher)

    def declare(self, config: Config) -> None:
        """Take note of what the file says by now."""
        self.config = config
        self.check_delay = config.circus.check_delay
        self.orders.pace(config.circus.warmup_delay)
        self.tell_followers()

    def tell_followers(self) -> None:
        """What others take from the configuration may have changed."""
        for follow in self.followers:
            follow(self.config.circus)

    def people_changed(self) -> None:
        """Watchers, or who may operate on them, have: statistics have to let in whom we do."""
        self.tell_followers()
        stats = told_anew(self.running()).watchers.get(STATS)
        if stats is not None and stats != self._watchers[STATS].config and not self.stopping:
            self.changes.change(STATS, {"env": stats.env})

    def tell_onlookers(self) -> None:
        """What is running has changed, or is to end."""
        for look in self.onlookers:
            look()

    def reload_config(self, *, reset: bool = False) -> Accepted:
        """Read the file again and do what it takes; when anything is wrong, nothing is done."""
        self.refuse_when_stopping()
        return self.changes.reload(reset=reset)

    def roll_back(self) -> Accepted:
        """Go back to what the file asked for before it was last read."""
        self.refuse_when_stopping()
        return self.changes.rollback()

    def restart_daemon(self) -> Accepted:
        """Stop everything, read the file again, start. Nothing is stopped for a bad file."""
        self.refuse_when_stopping()
        return self.changes.restart()

    def quit(self) -> Result:
        """Stop everything, then end."""
        return self.end(again=False)

    def hurry(self) -> None:
        """A second request to end: whatever still runs is killed now."""
        for watcher in self._all():
            watcher.hurry()
        self.strays.hurry()

    # -- how ------------------------------------------------

    def keep(self, work: Coroutine[Any, Any, T]) -> Outcome[T]:
        """Run it and hold on to it; a failure is logged, once."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._kept)
        return Outcome.of(task)

    def _kept(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, CircusError):
            if error not in self._told:
                self._told.add(error)
                logger.warning("%s", error)
        elif error is not None:
            logger.error("Internal error", exc_info=error)

    def next_mark(self, name: str, wid: int) -> str:
        """What a worker carries in its environment, so that its descendants are known."""
        return f"{name}.{wid}.{self.pid}.{next(self._marks)}"

    def _all(self) -> list[Watcher]:
        return [*self.watchers, *self._leaving.values()]

    def _see_off(self, watcher: Watcher) -> Result:
        """Stop a removed watcher; a new one of its name waits until it is gone."""
        key = watcher.name.lower()
        self._leaving.setdefault(key, watcher)
        stop = watcher.stop()

        async def gone() -> dict[str, Any]:
            result = await stop
            await watcher.done()
            if self._leaving.get(key) is watcher:
                del self._leaving[key]
            watcher.let_go()
            self.orders.gone(watcher)
            return result

        return self.keep(gone())

    def refuse_when_stopping(self) -> None:
        """Raises ConflictError once the end has begun."""
        if self.stopping:
            raise ConflictError("circusd is being stopped")

    def end(self, *, again: bool) -> Result:
        """Stop everything; of several requests, one to end beats one to start from anew."""
        self._start_again = again and (self._start_again or not self.stopping)
        self.stopping = True
        self.orders.close()
        self.tell_onlookers()

        async def end() -> dict[str, Any]:
            chosen = self._all()
            await self.orders.stop_layered(chosen)
            await asyncio.gather(*(watcher.done() for watcher in chosen))
            await self.strays.sweep()
            # after the answer has gone out
            self.loop.call_soon(self._ended)
            return {}

        return self.keep(end())

    def _on_trouble(self, trouble: Trouble) -> None:
        """Output was dropped, or is no longer; told from the pump's thread."""
        fields: dict[str, object] = {}
        if trouble.lost.size:  # so it stands among the lines, where `circusctl logs` finds it too
            fields = {"CIRCUS_STREAM": trouble.stream, "CIRCUS_DROPPED": trouble.lost.lines}
        logger.warning("%s", trouble, extra=about(trouble.watcher, **fields))
        if trouble.begins or trouble.over:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens
                self.loop.call_soon_threadsafe(self._tell_trouble, trouble)

    def _tell_trouble(self, trouble: Trouble) -> None:
        lost = trouble.counts.lost
        self.events.tell(
            trouble.watcher,
            "output_written" if trouble.over else "output_dropped",
            stream=trouble.stream,
            reason=", ".join(trouble.reasons),
            lines_dropped=lost.lines,
            bytes_dropped=lost.size,
        )

    def _ended(self) -> None:
        if not self.ended.done():
            self.ended.set_result(self._start_again)


async def _nothing() -> dict[str, Any]:
    return {}
