"""Owns loop, watchers and sockets; applies a plan."""

from __future__ import annotations

import asyncio
import fnmatch
import itertools
import logging
import os
import re
import time
from typing import TYPE_CHECKING, Any

from circus.config.load import load
from circus.config.model import changed, cost
from circus.config.plan import Action, plan
from circus.config.schema import OnChange
from circus.demand import Demand
from circus.events import Events
from circus.exc import AlreadyExist, ArgumentError, CircusError, MessageError, NotFound
from circus.host import usage
from circus.host.reaper import Reaper
from circus.host.survey import survey
from circus.sockets import CircusSocket
from circus.spawner import Spawner
from circus.startup import Startup, stop_layers
from circus.strays import Strays
from circus.stream import Pump, Source
from circus.watcher import Result, Watcher

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping

    from circus.config.model import Config, WatcherConfig

logger = logging.getLogger(__name__)


class Arbiter:
    """Everything that circusd keeps. All of it belongs to the thread of `loop`.

    `adopt`: this process is a subreaper, so what workers leave behind comes to us.
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
    ) -> None:
        self.config = config
        self.loop = loop
        self.endpoint = endpoint
        self.pubsub_endpoint = pubsub_endpoint
        self.stats_endpoint = stats_endpoint
        self.check_delay = config.circus.check_delay
        self.pid = os.getpid()
        self.events = Events()
        self.pump = Pump(_on_trouble)
        self.reaper = Reaper(adopt=adopt)
        self.strays = Strays(loop, adopt=adopt)
        self.spawner = Spawner(loop)
        self.sockets: dict[str, CircusSocket] = {}
        self.stopping = False
        self._sample: tuple[float, float] | None = None
        self.ended: asyncio.Future[bool] = loop.create_future()
        """Resolves when everything is stopped; True asks for a start from anew."""
        self._watchers: dict[str, Watcher] = {}
        self._startup = Startup(loop, self._watchers.get)
        self._startup.warmup_delay = config.circus.warmup_delay
        self._demand = Demand(loop, self.sockets)
        self._marks = itertools.count(1)
        self._tasks: set[asyncio.Future[Any]] = set()

    # -- what there is ------------------------------------------------

    @property
    def watchers(self) -> list[Watcher]:
        """All of them, by name."""
        return [self._watchers[name] for name in sorted(self._watchers)]

    def get_watcher(self, name: str) -> Watcher:
        """By name, upper or lower case. Raises NotFound."""
        try:
            return self._watchers[name.lower()]
        except KeyError:
            raise NotFound(f"program {name} not found") from None

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

    def blocked_by(self, watcher: Watcher) -> str:
        """The watcher that this one waits for before it starts, or nothing."""
        return watcher.blocked_by if self._startup.is_waiting(watcher) else ""

    # -- life ------------------------------------------------

    def initialize(self) -> None:
        """Bind the sockets and make the watchers. Raises CircusError; nothing is left bound."""
        try:
            for config in self.config.sockets.values():
                sock = CircusSocket(config)
                sock.bind_and_listen()
                self.sockets[config.name.lower()] = sock
        except (CircusError, OSError):
            self.close_sockets()
            raise
        self.pump.start()
        for name, watcher in self.config.watchers.items():
            self._watchers[name] = Watcher(watcher, self)

    def on_child(self) -> None:
        """SIGCHLD came."""
        if self.reaper.reap():
            self.strays.look_soon()

    def reopen(self) -> None:
        """Open every log and output file anew, after they were moved away."""
        self.pump.reopen()

    def close_sockets(self) -> None:
        """Give up what we listen on."""
        for sock in self.sockets.values():
            sock.close()
        self.sockets.clear()

    def close(self) -> None:
        """The very end: read what is left in the pipes, close everything."""
        self._startup.close()
        self._demand.close()
        self.strays.close()
        for watcher in self._watchers.values():
            watcher.close()
        self.pump.close(within=2.0)
        self.close_sockets()

    # -- actions ------------------------------------------------

    def start(self, watchers: Iterable[Watcher] | None = None) -> Result:
        """Start these, or all with autostart, in the order that they ask for."""
        chosen = list(watchers) if watchers is not None else self._autostarting()
        if watchers is None:
            for watcher in self.watchers:
                if watcher.config.on_demand and watcher.config.autostart:
                    self._demand.add(watcher)
        single = chosen[0] if watchers is not None and len(chosen) == 1 else None
        if single is not None:
            self._startup.remove(single)
            return self._info(single.start())
        self._startup.add(chosen)
        return self._all_settled(chosen)

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
        chosen = list(watchers)
        if len(chosen) == 1:
            return self._info(chosen[0].restart())
        return self._gather([watcher.restart() for watcher in chosen])

    def reload(
        self,
        watchers: Iterable[Watcher] | None = None,
        *,
        graceful: bool = True,
        sequential: bool = False,
    ) -> Result:
        """Replace the workers of these; without a name, of those that run."""
        if watchers is None:
            chosen = [watcher for watcher in self.watchers if watcher.pool.up]
        else:
            chosen = list(watchers)
        futures = [one.reload(graceful=graceful, sequential=sequential) for one in chosen]
        if watchers is not None and len(futures) == 1:
            return self._info(futures[0])
        return self._gather(futures)

    def add(self, config: WatcherConfig, *, start: bool = False) -> Result:
        """Take in a watcher at run time. Raises AlreadyExist."""
        key = config.name.lower()
        if key in self._watchers:
            raise AlreadyExist(f"{config.name!r} already exist")
        watcher = self._watchers[key] = Watcher(config, self)
        self.events.tell(config.name, "add")
        if start:
            return watcher.start()
        return self.keep(_nothing())

    def remove(self, name: str, *, nostop: bool = False) -> Result:
        """Stop and forget a watcher; with `nostop` its workers live on without us."""
        watcher = self.get_watcher(name)
        self._startup.remove(watcher)
        del self._watchers[name.lower()]
        self.events.tell(watcher.name, "remove")
        if nostop:
            watcher.close()
            return self.keep(_nothing())
        return watcher.stop()

    def change(self, name: str, options: Mapping[str, object]) -> Result:
        """Change options of a watcher: all of them or, when one is wrong, none."""
        watcher = self.get_watcher(name)
        wanted = changed(watcher.config, options)
        if cost(watcher.config, wanted) >= OnChange.REPLACE:
            self._check([wanted])
        result = self._reconfigure(watcher, wanted)
        for option in options:
            self.events.tell(watcher.name, "updated", option=option)
        return result

    def reload_config(self) -> Result:
        """Read the file again and do what it takes; when anything is wrong, nothing is done."""
        return self.keep(self._reload_config())

    def quit(self) -> Result:
        """Stop everything, then end."""
        return self._end(again=False)

    def hurry(self) -> None:
        """A second request to end: whatever still runs is killed now."""
        for watcher in self.watchers:
            watcher.kill(graceful_timeout=0.0)

    def restart_daemon(self) -> Result:
        """Stop everything, read the file again, start. Nothing is stopped for a bad file."""
        return self.keep(self._restart_daemon())

    # -- how ------------------------------------------------

    def keep(self, work: Coroutine[Any, Any, dict[str, Any]]) -> Result:
        """Run it and hold on to it; a failure nobody awaits is logged, once."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._kept)
        return task

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

    def _autostarting(self) -> list[Watcher]:
        return [one for one in self.watchers if one.config.autostart and not one.config.on_demand]

    def _info(self, result: Result) -> Result:
        async def wrap() -> dict[str, Any]:
            return {"info": await result}

        return self.keep(wrap())

    def _gather(self, futures: list[Result]) -> Result:
        async def wait() -> dict[str, Any]:
            for outcome in await asyncio.gather(*futures, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome
            return {}

        return self.keep(wait())

    def _all_settled(self, chosen: list[Watcher]) -> Result:
        async def wait() -> dict[str, Any]:
            for watcher in chosen:
                await watcher.settled()
            return {}

        return self.keep(wait())

    def _layered_stop(self, chosen: list[Watcher]) -> Result:
        async def stop() -> dict[str, Any]:
            killed: list[str] = []
            for layer in stop_layers(chosen):
                for result in await asyncio.gather(*(watcher.stop() for watcher in layer)):
                    killed += result.get("killed", [])
            return {"killed": killed} if killed else {}

        return self.keep(stop())

    def _end(self, *, again: bool) -> Result:
        self.stopping = True
        self._startup.close()
        self._demand.close()

        async def end() -> dict[str, Any]:
            await self._layered_stop(self.watchers)
            if not self.ended.done():
                # after the answer has gone out
                self.loop.call_soon(self.ended.set_result, again)
            return {}

        return self.keep(end())

    def _check(self, configs: Iterable[WatcherConfig]) -> None:
        """Refuse what this machine cannot run, before anything is touched."""
        problems = survey(configs, lambda _section, _key: "")
        if problems:
            raise ArgumentError("; ".join(problem.message for problem in problems))

    def _reconfigure(self, watcher: Watcher, wanted: WatcherConfig) -> Result:
        needed = cost(watcher.config, wanted)
        watcher.configure(wanted)
        if needed >= OnChange.REPLACE and watcher.pool.up:
            return watcher.reload()
        return self._all_settled([watcher])

    async def _restart_daemon(self) -> dict[str, Any]:
        if self.config.path is not None:
            await asyncio.to_thread(load, self.config.path, dict(os.environ))
        return await self._end(again=True)

    async def _reload_config(self) -> dict[str, Any]:
        if self.config.path is None:
            raise CircusError("cannot reload the configuration: it did not come from a file")
        path = self.config.path
        loaded = await asyncio.to_thread(load, path, dict(os.environ))
        steps = plan(self.config, loaded.config)
        self.config = loaded.config
        results = []
        for step in steps:
            what = f"{step.kind} {step.name}: {', '.join(step.reasons)}"
            if step.kind == "watcher":
                logger.info("Configuration: %s of %s", step.action, what)
                results.append(self._apply(step.name))
            elif step.action is not Action.LIVE:
                logger.warning("Configuration: %s; counts when circusd is started again", what)
        await self._gather(results)
        return {}

    def _apply(self, name: str) -> Result:
        wanted = self.config.watchers.get(name.lower())
        if wanted is None:
            return self.remove(name)
        watcher = self._watchers.get(name.lower())
        if watcher is None:
            return self.add(wanted, start=wanted.autostart)
        return self._reconfigure(watcher, wanted)


def _on_trouble(source: Source, text: str) -> None:
    """A sink failed; told from the pump's thread."""
    logger.warning("%s: cannot write %s: %s", source.watcher, source.name, text)


async def _nothing() -> dict[str, Any]:
    return {}
