"""Owns loop, watchers and sockets; applies a plan."""

from __future__ import annotations

import asyncio
import dataclasses
import fnmatch
import itertools
import logging
import os
import re
import time
from typing import TYPE_CHECKING, Any, TypeVar

from circus.audit import Audit
from circus.changes import Changes
from circus.demand import Demand
from circus.events import Events
from circus.exc import (
    AlreadyExist,
    CircusError,
    ConflictError,
    MessageError,
    NotFound,
)
from circus.host import usage
from circus.host.reaper import Reaper
from circus.sockets import CircusSockets
from circus.spawner import Spawner
from circus.startup import Startup, stop_layers
from circus.strays import Strays
from circus.stream import Pump, Source
from circus.threads import Outcome
from circus.watcher import Result, Watcher

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence

    from circus.changes import Accepted
    from circus.config.model import CircusConfig, Config, WatcherConfig

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
        self.pump = Pump(_on_trouble)
        self.reaper = Reaper(adopt=adopt, loop=loop)
        self.strays = Strays(loop, adopt=adopt)
        self.spawner = Spawner(loop)
        self.sockets = CircusSockets()
        self.stopping = False
        self._start_again = False
        self._sample: tuple[float, float] | None = None
        self.ended: asyncio.Future[bool] = loop.create_future()
        """Resolves when everything is stopped; True asks for a start from anew."""
        self._watchers: dict[str, Watcher] = {}
        self._ready = {watcher.name.lower(): watcher for watcher in ready}
        self._leaving: dict[str, Watcher] = {}
        """Removed, but not gone yet."""
        self._startup = Startup(loop, self._watchers.get, self._leaving.get)
        self._startup.warmup_delay = config.circus.warmup_delay
        self._demand = Demand(loop, self.sockets, lambda watcher: self._start([watcher]))
        self.changes = Changes(self)
        self.followers: list[Callable[[CircusConfig], None]] = []
        """Called with the daemon's options when they, or who may operate, may have changed."""
        self._marks = itertools.count(1)
        self._tasks: set[asyncio.Future[Any]] = set()

    # -- what there is ------------------------------------------------

    @property
    def watchers(self) -> list[Watcher]:
        """All of them, by name."""
        return [self._watchers[name] for name in sorted(self._watchers)]

    def find_watcher(self, name: str) -> Watcher | None:
        """By name, upper or lower case."""
        return self._watchers.get(name.lower())

    def get_watcher(self, name: str) -> Watcher:
        """By name, upper or lower case. Raises NotFound."""
        watcher = self.find_watcher(name)
        if watcher is None:
            raise NotFound(f"program {name} not found")
        return watcher

    def match(self, pattern: str, how: str = "glob") -> list[Watcher]:
        """Those whose name matches. Raises NotFound when none does, MessageError."""
        pattern = pattern.lower()
        names = sorted(self._watchers)
        if how == "simple":
            found = [name for name in names if name == pattern]
        elif how == "glob":
            found = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
        elif how == "regex":
            try:
                expression = re.compile(pattern)
            except re.error as error:
                raise MessageError(f"cannot read the pattern {pattern!r}: {error}") from error
            found = [name for name in names if expression.match(name)]
        else:
            raise MessageError(f"unknown match method {how}")
        if not found:
            raise NotFound(f"program {pattern} not found")
        return [self._watchers[name] for name in found]

    def statuses(self) -> dict[str, str]:
        """The word for each watcher, by its name as written."""
        return {watcher.name: watcher.status() for watcher in self.watchers}

    def numprocesses(self) -> int:
        """Workers that run, of all watchers."""
        return sum(len(watcher) for watcher in self._watchers.values())

    def info(self) -> dict[str, Any]:
        """What `dstats` tells of the daemon itself."""
        found = usage.usage(self.pid, self._sample) or {}
        self._sample = (found.pop("busy", 0.0), time.monotonic())
        return found

    def running(self) -> Config:
        """What is in use by now, whatever the file says."""
        return dataclasses.replace(
            self.config,
            watchers={name: self._watchers[name].config for name in sorted(self._watchers)},
            sockets={name: self.sockets[name].config for name in sorted(self.sockets)},
        )

    def is_wanted(self, watcher: Watcher) -> bool:
        """Whether it runs or is about to."""
        return watcher.pool.up or self._startup.holds(watcher)

    def blocked_by(self, watcher: Watcher) -> str:
        """The watcher that this one waits for before it starts, or nothing."""
        return self._startup.blocker(watcher)

    # -- life ------------------------------------------------

    def initialize(self) -> None:
        """Bind the sockets and make the watchers. Raises CircusError; nothing is left bound."""
        self.sockets.prepare(self.config.sockets).commit()
        self.pump.start()
        for name, watcher in self.config.watchers.items():
            made = self._ready[name] if name in self._ready else Watcher.from_config(watcher)
            self._watchers[name] = made
            made.attach(self)

    def on_child(self) -> None:
        """SIGCHLD came."""
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
        self._startup.close()
        self._demand.close()
        self.strays.close()
        self.reaper.close()
        for watcher in self._watchers.values():
            watcher.close()
        self.pump.close(within=2.0)
        self.close_sockets()

    # -- actions ------------------------------------------------

    def start(self, watchers: Iterable[Watcher] | None = None) -> Result:
        """Start these with all that they require, or all with autostart, in the order they ask for.

        Raises ConflictError once everything is being stopped, as all do that may start something.
        """
        self.refuse_when_stopping()
        if watchers is None:
            return self.gather(self.autostart(self.watchers))
        chosen = list(watchers)
        return self._of_one(chosen, self._start(chosen))

    def autostart(self, watchers: Iterable[Watcher]) -> list[asyncio.Future[dict[str, Any]]]:
        """Start those of these that have `autostart`: now, or when somebody connects."""
        chosen = [watcher for watcher in watchers if watcher.config.autostart]
        for watcher in chosen:
            if watcher.config.on_demand:
                self._demand.add(watcher)
        return self._startup.add([one for one in chosen if not one.config.on_demand])

    def stop(self, watchers: Iterable[Watcher] | None = None) -> Result:
        """Stop these, or all; what others need goes last."""
        chosen = list(watchers) if watchers is not None else self.watchers
        for watcher in chosen:
            self._startup.remove(watcher)
            self._demand.remove(watcher)
        if watchers is not None and len(chosen) == 1:
            return chosen[0].stop()
        return self._layered_stop(chosen)

    def restart(self, watchers: Iterable[Watcher]) -> Result:
        """Stop, then start these."""
        self.refuse_when_stopping()
        chosen = list(watchers)
        futures = [one.restart() if one.pool.up else self._start([one])[0] for one in chosen]
        return self._of_one(chosen, futures)

    def reload(
        self,
        watchers: Iterable[Watcher] | None = None,
        *,
        graceful: bool = True,
        sequential: bool = False,
    ) -> Result:
        """Replace the workers of these; without a name, of those that run."""
        self.refuse_when_stopping()
        if watchers is None:
            running = [watcher for watcher in self.watchers if watcher.pool.up]
            return self.gather(
                [one.reload(graceful=graceful, sequential=sequential) for one in running]
            )
        chosen = list(watchers)
        futures = [
            one.reload(graceful=graceful, sequential=sequential)
            if one.pool.up
            else self._start([one])[0]
            for one in chosen
        ]
        return self._of_one(chosen, futures)

    def add(self, config: WatcherConfig, *, start: bool = False) -> Result:
        """Take in a watcher at run time. Raises AlreadyExist, ArgumentError."""
        self.refuse_new(config)
        watcher = self.take_in(config)
        if config.operate_users or config.operate_groups:
            self.tell_followers()
        return Outcome.of(self._start([watcher])[0]) if start else self.keep(_nothing())

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
        """Stop and forget a watcher; with `nostop` its workers live on without us."""
        watcher = self.get_watcher(name)
        self._startup.remove(watcher)
        self._demand.remove(watcher)
        del self._watchers[name.lower()]
        self.events.tell(watcher.name, "remove")
        if nostop:
            watcher.close()
            self._startup.changed(watcher)
            return self.keep(_nothing())
        return self._see_off(watcher)

    def declare(self, config: Config) -> None:
        """Take note of what the file says by now."""
        self.config = config
        self.check_delay = config.circus.check_delay
        self._startup.warmup_delay = config.circus.warmup_delay
        self.tell_followers()

    def tell_followers(self) -> None:
        """What others take from the configuration may have changed."""
        for follow in self.followers:
            follow(self.config.circus)

    def reload_config(self, *, reset: bool = False) -> Accepted:
        """Read the file again and do what it takes; when anything is wrong, nothing is done."""
        self.refuse_when_stopping()
        return self.changes.reload(reset=reset)

    def hang_up(self) -> Result:
        """SIGHUP: what the file says by now, then new workers for all that still has old ones.

        With a file that cannot be used nothing is done.
        """
        self.refuse_when_stopping()

        async def follow() -> dict[str, Any]:
            fresh: set[str] = set()
            if self.config.path is not None:
                steps = (await (await self.changes.reload())).get("steps", [])
                fresh = {one["name"] for one in steps if one["action"] != "live"}
            running = [one for one in self.watchers if one.pool.up and one.name not in fresh]
            return await self.gather([watcher.reload() for watcher in running])

        return self.keep(follow())

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
        """Run it and hold on to it; a failure nobody awaits is logged, once."""
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
            logger.warning("%s", error)
        elif error is not None:
            logger.error("Internal error", exc_info=error)

    def next_mark(self, name: str, wid: int) -> str:
        """What a worker carries in its environment, so that its descendants are known."""
        return f"{name}.{wid}.{self.pid}.{next(self._marks)}"

    def status_changed(self, watcher: Watcher) -> None:
        """A watcher tells that it is not what it was."""
        if self.stopping:
            return
        self._startup.changed(watcher)
        if watcher.config.on_demand:
            # one that was stopped by hand stays stopped, whoever connects
            if watcher.status() == "stopped" and watcher.pool.up:
                self._demand.add(watcher)
            elif watcher.pool.up:
                self._demand.remove(watcher)

    def sockets_changed(self) -> None:
        """Connections are to be waited for at other sockets, or at those of other names."""
        self._demand.look_again()

    def _all(self) -> list[Watcher]:
        return [*self.watchers, *self._leaving.values()]

    def with_required(self, chosen: list[Watcher]) -> list[Watcher]:
        """These, then what does not run and they require."""
        wanted = {watcher.name.lower() for watcher in chosen}
        found = list(chosen)
        for watcher in found:
            for name in map(str.lower, watcher.config.requires):
                other = self._watchers.get(name)
                if other is not None and name not in wanted and not other.pool.up:
                    wanted.add(name)
                    found.append(other)
        return found

    def _start(self, chosen: list[Watcher]) -> list[asyncio.Future[dict[str, Any]]]:
        """A future for each of these, of what its start comes to; it pulls in what it requires."""
        return self._startup.add(self.with_required(chosen))[: len(chosen)]

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
            watcher.close()
            self._startup.changed(watcher)
            return result

        return self.keep(gone())

    def refuse_when_stopping(self) -> None:
        """Raises ConflictError once the end has begun."""
        if self.stopping:
            raise ConflictError("circusd is being stopped")

    def _of_one(
        self, chosen: list[Watcher], futures: Sequence[Awaitable[dict[str, Any]]]
    ) -> Result:
        """What one watcher's action came to, as `info`; of several, that they are done."""
        if len(chosen) != 1:
            return self.gather(futures)

        async def wrap() -> dict[str, Any]:
            return {"info": await futures[0]}

        return self.keep(wrap())

    def gather(self, futures: Iterable[Awaitable[dict[str, Any]]]) -> Result:
        """All of these; the first that fails makes it fail, once all are done."""

        async def wait() -> dict[str, Any]:
            for outcome in await asyncio.gather(*futures, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome
            return {}

        return self.keep(wait())

    def _layered_stop(self, chosen: list[Watcher]) -> Result:
        """Layer by layer, the first one at once; what is started meanwhile stays up."""
        first, *later = stop_layers(chosen) or [[]]
        starts = {watcher: watcher.starts for watcher in chosen}
        stops = [watcher.stop() for watcher in first]

        async def stop() -> dict[str, Any]:
            killed = await _killed(stops)
            for layer in later:
                left = [watcher for watcher in layer if watcher.starts == starts[watcher]]
                killed += await _killed([watcher.stop() for watcher in left])
            return {"killed": killed} if killed else {}

        return self.keep(stop())

    def end(self, *, again: bool) -> Result:
        """Stop everything; of several requests, one to end beats one to start from anew."""
        self._start_again = again and (self._start_again or not self.stopping)
        self.stopping = True
        self._startup.close()
        self._demand.close()

        async def end() -> dict[str, Any]:
            chosen = self._all()
            await self._layered_stop(chosen)
            await asyncio.gather(*(watcher.done() for watcher in chosen))
            await self.strays.sweep()
            # after the answer has gone out
            self.loop.call_soon(self._ended)
            return {}

        return self.keep(end())

    def _ended(self) -> None:
        if not self.ended.done():
            self.ended.set_result(self._start_again)


def _on_trouble(source: Source, text: str) -> None:
    """A sink failed; told from the pump's thread."""
    logger.warning("%s: cannot write %s: %s", source.watcher, source.name, text)


async def _killed(stops: list[Result]) -> list[str]:
    """What had to be killed, once all of these stops are done."""
    return [one for result in await asyncio.gather(*stops) for one in result.get("killed", [])]


async def _nothing() -> dict[str, Any]:
    return {}
