"""Feeds events to its pool, performs the effects that come back."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import signal
from typing import TYPE_CHECKING, Any, Self

from circus.conditions import Conditions
from circus.config.mapping import watcher_from_mapping
from circus.core import slot as core
from circus.core.life import Answered
from circus.core.pool import ITSELF, Pool
from circus.exc import ArgumentError, CircusError, NotFound
from circus.hooks import Hooks
from circus.host import tree
from circus.logs import about
from circus.report import refuse_if_fallen, slot_report
from circus.surface import Result as Result
from circus.surface import WatcherSurface
from circus.threads import Door, asked_in_loop, from_any_thread
from circus.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from circus.config.model import WatcherConfig
    from circus.core.pool import Effects
    from circus.engine import Engine
    from circus.process import Process

logger = logging.getLogger(__name__)

UNUSED = frozenset({"loop", "prereload_fn", "stopped", "stream_backend"})
"""What older programs pass, and nothing waits for."""


class Watcher(WatcherSurface):
    """Runs one command as N workers.

    Actions state the wish at once and answer with an `Outcome`, there when the watcher has
    settled; nobody has to await it. They, and questions, may come from any thread; everything else
    here belongs to the loop's.
    """

    engine: Engine
    _hooks: Hooks
    _workers: Workers
    _conditions: Conditions

    def __init__(
        self,
        name: str,
        cmd: str,
        args: str | Sequence[str] | None = None,
        numprocesses: int = 1,
        **options: object,
    ) -> None:
        """Raises ConfigError. Options are those of a file, as text or as values; hooks and streams
        may be objects. It runs once an arbiter that has it does."""
        given = {"cmd": cmd, "args": args, "numprocesses": numprocesses, **options}
        self._set_up(watcher_from_mapping(name, {k: given[k] for k in given if k not in UNUSED}))

    @classmethod
    def load_from_config(cls, config: Mapping[str, object]) -> Self:
        """The same from a mapping that has name and cmd in it."""
        options = dict(config)
        return cls(str(options.pop("name")), **options)  # type: ignore[arg-type]  # checked there

    @classmethod
    def from_config(cls, config: WatcherConfig) -> Self:
        """The same from options that were read."""
        watcher = cls.__new__(cls)
        watcher._set_up(config)
        return watcher

    def _set_up(self, config: WatcherConfig) -> None:
        self.config = config
        self.door = Door()
        self.attached = False
        self._reset()

    def _reset(self) -> None:
        self.pool = Pool(self.config)
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: float | None = None
        self._word = "stopped"
        self._settled = True
        self._started_up = False
        self.starts = 0
        """How often it was told to run: a stop that had to wait sees whether it is too late."""

    def attach(self, engine: Engine) -> None:
        """Run with this engine from now on; calls that came before are carried out."""
        self._reset()
        self.engine = engine
        self._hooks = Hooks(self, engine)
        self._workers = Workers(self.config, self.pool, engine, self._hooks, self.send)
        self._conditions = Conditions(engine.loop)
        self.attached = True
        self.initialize(None, engine.sockets, engine.face)
        self.door.open(engine.loop)

    # -- what others ask ------------------------------------------------

    @property
    def name(self) -> str:
        """As written in the configuration."""
        return self.config.name

    @property
    def numprocesses(self) -> int:
        """How many workers there should be."""
        return self.pool.count

    @property
    def generation(self) -> int:
        """That of the workers which are started now; each start, restart and reload has its own."""
        return self.pool.generation

    @property
    def processes(self) -> dict[int, Process]:
        """The workers that run, by pid, in the order they were started."""
        return self._workers.running if self.attached else {}

    def __len__(self) -> int:
        return len(self.processes)

    def status(self) -> str:
        """`active`, `starting`, `stopping`, `stopped`; or `frozen`, when all that run are."""
        word = self.pool.status
        frozen = len(self._workers.freezer) if word == "active" else 0
        return "frozen" if frozen and frozen == len(self.processes) else word

    def pids(self) -> list[int]:
        """Of the workers that run, in the order they were started."""
        return list(self.processes)

    @asked_in_loop
    def why(self, wid: int | None = None) -> list[dict[str, Any]]:
        """What each slot does, since when, what happened last, and what comes next."""
        if wid is not None and wid not in self.pool.slots:
            raise NotFound(f"worker {wid} not found in {self.name!r}")
        now = self.engine.loop.time()
        slots = [self.pool.slots[wid]] if wid is not None else self.pool.slots.values()
        frozen = self._workers.freezer.wids
        return [
            slot_report(
                slot, self.config, now, self._hooks.waits(slot.wid), frozen=slot.wid in frozen
            )
            for slot in slots
        ]

    @property
    def unlimited(self) -> str:
        """Why some of its limits have no effect; or nothing."""
        return self._workers.unlimited

    @property
    def halted(self) -> str:
        """The hook that the watcher itself waits for, or why one keeps it down; or nothing."""
        return self._hooks.waits(ITSELF) or self.pool.life.refusal

    @from_any_thread
    def extended(self, pid: int | None = None) -> Result:
        """`info` of one worker or all, by pid, with what the extended_stats hook adds."""
        chosen = [self.get_process(pid)] if pid is not None else list(self.processes.values())
        infos = {process.pid: process.info() for process in chosen}
        return self.engine.keep(self._hooks.extend(infos))

    def get_process(self, pid: int) -> Process:
        """Raises NotFound."""
        return self._workers.get(pid)

    # -- actions ------------------------------------------------

    @from_any_thread
    def start(self) -> Result:
        """Bring every position up."""
        self.starts += 1
        before = self.pids()
        self._workers.look_up_again()
        self.send_all(self.pool.start(self._now()))
        return self._answer(lambda: self._started(before))

    @from_any_thread
    def stop(self) -> Result:
        """Empty every position; done when nothing that it started is left."""
        killed: list[str] = []
        stopping = list(self.processes.values())
        self.send_all(self.pool.stop(self._now()))

        def result() -> dict[str, Any]:
            for process in stopping:
                killed.extend(process.killed)
            return {"info": None, **({"killed": killed} if killed else {})}

        return self._answer(result)

    @from_any_thread
    def restart(self) -> Result:
        """Stop, then start."""
        self.starts += 1
        before = self.pids()
        self._workers.look_up_again()
        self.send_all(self.pool.restart(self._now()))
        return self._answer(lambda: self._replaced(before))

    @from_any_thread
    def reload(self, graceful: bool = True, sequential: bool = False) -> Result:  # noqa: FBT001, FBT002
        """Replace the workers; old ones stay when the new ones do not stand."""
        if not graceful or not self.pool.up:
            return self.restart() if self.pool.up else self.start()
        if self.config.send_hup:
            before = self.pids()
            for process in self.processes.values():
                process.send_signal(signal.SIGHUP)
            return self._answer(lambda: self._reloaded(before))
        return self.replace(sequential=sequential)

    @from_any_thread
    def replace(self, *, sequential: bool = False) -> Result:
        """New workers for old ones also with `send_hup`: a signal brings no new options."""
        before = self.pids()
        self._workers.look_up_again()
        self.send_all(self.pool.reload(self._now(), sequential=sequential))
        return self._answer(lambda: self._reloaded(before))

    @from_any_thread
    def incr(self, nb: int = 1) -> Result:
        """Run more workers."""
        return self._resize(self.numprocesses + nb)

    @from_any_thread
    def decr(self, nb: int = 1) -> Result:
        """Run fewer; the oldest go first."""
        return self._resize(max(0, self.numprocesses - nb))

    @from_any_thread
    def set_numprocesses(self, nb: int) -> Result:
        """Run so many workers."""
        return self._resize(max(0, nb))

    def _resize(self, count: int) -> Result:
        self.configure(dataclasses.replace(self.config, numprocesses=count))
        return self._answer(lambda: {"numprocesses": self.numprocesses})

    @from_any_thread
    def kill(
        self,
        pid: int | None = None,
        signum: int | None = None,
        graceful_timeout: float | None = None,
    ) -> Result:
        """Stop one worker, or all, as a stop does; then others take their places."""
        targets = [self.get_process(pid)] if pid is not None else list(self.processes.values())
        for process in targets:
            self.send(process.wid, core.Terminate(signum, graceful_timeout))
        return self._answer(dict)

    def configure(self, config: WatcherConfig) -> None:
        """Take a new configuration; running workers keep theirs until they are replaced."""
        self.config = self.pool.config = config
        if not self.attached:
            return
        self._hooks.configure(config)
        self._workers.configure(config)
        self.send_all(self.pool.reconcile(self._now()))

    def settled(self) -> asyncio.Future[None]:
        """Resolves when nothing is on its way any more."""
        return self._conditions.when(lambda: self.pool.settled)

    def done(self) -> asyncio.Future[None]:
        """Resolves when its hooks have been told everything; for one that is stopped for good."""
        return self._hooks.idle()

    def until(self, condition: str) -> asyncio.Future[None]:
        """Resolves when the watcher is `active`, `stopped` or `settled`."""
        if condition == "settled":
            return self.settled()
        return self._conditions.when(lambda: self.status() == condition and self.pool.settled)

    @asked_in_loop
    def signal(
        self,
        signum: int,
        *,
        pid: int | None = None,
        childpid: int | None = None,
        children: bool = False,
        recursive: bool = False,
    ) -> None:
        """Signal one worker or all, or their children. Raises NotFound, ArgumentError."""
        if childpid is not None and pid is None:
            raise ArgumentError("cannot specify childpid without pid")
        for process in [self.get_process(pid)] if pid else list(self.processes.values()):
            if childpid is not None:
                below = [found for found in process.descendants() if found.pid == childpid]
                if not below:
                    raise NotFound(f"process {childpid} is not a child of {process.pid}")
            else:
                below = process.below(children=children, recursive=recursive)
                if not children:
                    self._workers.signal(process, signum)
            for found in below:
                tree.send(found, signum)

    @asked_in_loop
    def freeze(self) -> None:
        """Let its workers have no processor time. Raises CircusError where there are no cgroups."""
        self._freeze(on=True)

    @asked_in_loop
    def thaw(self) -> None:
        """Let them go on."""
        self._freeze(on=False)

    def _freeze(self, *, on: bool) -> None:
        if self._workers.freezer.set(self.processes.values(), on=on):
            logger.info("%s %s", self.name, "frozen" if on else "thawed", extra=about(self.name))
            self.engine.events.tell(self.name, "freeze" if on else "thaw")
            self._tell_status()
            self._conditions.check()

    def hurry(self) -> None:
        """Wait for no hook any more, and kill what still runs."""
        self._hooks.give_up()
        self.kill(graceful_timeout=0.0)

    # -- the only way in ------------------------------------------------

    def send(self, wid: int, event: core.Event | Answered) -> None:
        """Take in an event of one slot, or of the watcher itself. Never blocks, never awaits."""
        if not self.attached:  # workers that it let go of do not come back
            return
        if isinstance(event, Answered):
            self.send_all(self.pool.answered(event, self._now()))
        else:
            self.send_all(self.pool.handle(wid, event, self._now()))

    def send_all(self, effects: Effects) -> None:
        """Perform what the pool decided, then see to timers and to those who wait."""
        for wid, effect in effects:
            self._workers.perform(wid, effect)
        self._workers.drop_unwanted()
        self._arm()
        self._tell_status()
        self._conditions.check()

    # -- timers and words ------------------------------------------------

    def _now(self) -> float:
        return self.engine.loop.time()

    def _arm(self) -> None:
        deadline = self.pool.deadline(self._now())
        if deadline == self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = None
        if deadline is not None:
            self._timer = self.engine.loop.call_at(deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = self._timer_at = None
        self.send_all(self.pool.due(self._now()))

    def _tell_status(self) -> None:
        word, settled = self.status(), self.pool.settled
        if (word, settled) == (self._word, self._settled):
            return
        previous, self._word, self._settled = self._word, word, settled
        if word != previous:
            if previous == "stopping" and word != "stopped":  # restarted: it was, for no time
                self._tell_start_or_stop("stopped")
            self._tell_start_or_stop(word)
        self.engine.orders.status_changed(self)

    def _tell_start_or_stop(self, word: str) -> None:
        """It has started once, whatever dies and comes back until it is stopped."""
        if word == "active" and not self._started_up:
            self._started_up = True
            logger.info("%s started", self.name, extra=about(self.name))
            self.engine.events.tell(self.name, "start")
        elif word in ("stopping", "stopped"):
            self._started_up = False
            if word == "stopped":
                logger.info("%s stopped", self.name, extra=about(self.name))
                self.engine.events.tell(self.name, "stop")

    def _answer(self, result: Callable[[], dict[str, Any]]) -> Result:
        """A future of what an action came to, once everything has settled."""

        async def wait() -> dict[str, Any]:
            await self.settled()
            return result()

        return self.engine.keep(wait())

    # -- what an action came to ------------------------------------------------

    def _started(self, before: list[int]) -> dict[str, Any]:
        refuse_if_fallen(self.config, self.pool, self._now())
        now = self.pids()
        return {
            "started": sorted(set(now) - set(before)),
            "kept": sorted(set(now) & set(before)),
        }

    def _replaced(self, before: list[int]) -> dict[str, Any]:
        return {**self._started(before), "stopped": sorted(set(before) - set(self.pids()))}

    def _reloaded(self, before: list[int]) -> dict[str, Any]:
        if self.pool.trouble:
            raise CircusError(
                f"cannot reload {self.name!r}: a new worker did not stand ({self.pool.trouble}); "
                "the old workers still run"
            )
        result = self._replaced(before)
        if self.pool.up:  # it may have been stopped meanwhile
            self.engine.events.tell(self.name, "reload")
            logger.info("%s reloaded", self.name, extra=about(self.name))
        return result

    def let_go(self) -> None:
        """It was removed, and whoever waits for something of it is told so."""
        self.close()
        self._conditions.give_up(NotFound(f"{self.name} was removed meanwhile"))

    def close(self) -> None:
        """Let go of timers and of output; the workers are gone by now, or left to themselves."""
        self.attached = False
        self.door.close()
        if self._timer is not None:
            self._timer.cancel()
        self._hooks.close()
        self._workers.close()
