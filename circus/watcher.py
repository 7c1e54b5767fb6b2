"""Feeds events to its pool, performs the effects that come back."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
import random
import signal
from typing import TYPE_CHECKING, Any, assert_never

from circus.core import slot as core
from circus.core.pool import Pool
from circus.core.slot import State
from circus.exc import ArgumentError, CircusError, NotFound, SpawnError
from circus.host import spawn, tree
from circus.output import Output
from circus.process import Process
from circus.recipe import Recipe
from circus.report import slot_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.arbiter import Arbiter
    from circus.config.model import WatcherConfig
    from circus.core.pool import Effects
    from circus.host.reaper import Exit

logger = logging.getLogger(__name__)

Result = asyncio.Future[dict[str, Any]]


class Watcher:
    """Runs one command as N workers. Everything here belongs to the loop's thread.

    Actions state the wish at once and return a future that resolves when the watcher has
    settled; nobody has to await it.
    """

    def __init__(self, config: WatcherConfig, arbiter: Arbiter) -> None:
        self.config = config
        self.arbiter = arbiter
        self.pool = Pool(config)
        self.processes: dict[int, Process] = {}
        self.blocked_by = ""
        """What it waits for before it may start, or nothing."""
        self.output = Output(config, arbiter.pump)
        self._by_wid: dict[int, Process] = {}
        self._recipe: Recipe | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at: float | None = None
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._word = "stopped"
        self._settled = True

    # -- what others ask ------------------------------------------------

    @property
    def name(self) -> str:
        """As written in the configuration."""
        return self.config.name

    @property
    def res_name(self) -> str:
        """As it stands in event topics."""
        return self.config.name.lower().replace(" ", "_")

    @property
    def numprocesses(self) -> int:
        """How many workers there should be."""
        return self.pool.count

    def __len__(self) -> int:
        return len(self.processes)

    def status(self) -> str:
        """`active`, `starting`, `stopping` or `stopped`."""
        return self.pool.status

    def pids(self) -> list[int]:
        """Of the workers that run, in the order they were started."""
        return list(self.processes)

    def why(self, wid: int | None = None) -> list[dict[str, Any]]:
        """What each slot does, since when, what happened last, and what comes next."""
        if wid is not None and wid not in self.pool.slots:
            raise NotFound(f"worker {wid} not found in {self.name!r}")
        now = self.arbiter.loop.time()
        slots = [self.pool.slots[wid]] if wid is not None else self.pool.slots.values()
        return [slot_report(slot, self.config, now) for slot in slots]

    def info(self) -> dict[str, dict[str, Any] | str]:
        """What `stats` tells of each worker, by pid."""
        everyone = tree.survey(skip=self.processes)
        return {str(pid): process.info(everyone) for pid, process in self.processes.items()}

    def process_info(self, pid: int) -> dict[str, Any] | str:
        """The same of one worker. Raises NotFound."""
        return self.get_process(pid).info(tree.survey(skip=self.processes))

    def get_process(self, pid: int) -> Process:
        """Raises NotFound."""
        if pid not in self.processes:
            raise NotFound(f"process {pid} not found in {self.name!r}")
        return self.processes[pid]

    # -- actions ------------------------------------------------

    def start(self) -> Result:
        """Bring every position up."""
        before = self.pids()
        self._reopen_recipe()
        self.send_all(self.pool.start(self._now()))
        return self._answer(lambda: self._started(before))

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

    def restart(self) -> Result:
        """Stop, then start."""
        before = self.pids()
        self._reopen_recipe()
        self.send_all(self.pool.restart(self._now()))
        return self._answer(lambda: self._replaced(before))

    def reload(self, *, graceful: bool = True, sequential: bool = False) -> Result:
        """Replace the workers; old ones stay when the new ones do not stand."""
        if not graceful or not self.pool.up:
            return self.restart() if self.pool.up else self.start()
        before = self.pids()
        if self.config.send_hup:
            for process in self.processes.values():
                process.send_signal(signal.SIGHUP)
            return self._answer(lambda: self._reloaded(before))
        self._reopen_recipe()
        self.send_all(self.pool.reload(self._now(), sequential=sequential))
        return self._answer(lambda: self._reloaded(before))

    def incr(self, nb: int = 1) -> Result:
        """Run more workers."""
        return self._resize(self.numprocesses + nb)

    def decr(self, nb: int = 1) -> Result:
        """Run fewer; the oldest go first."""
        return self._resize(max(0, self.numprocesses - nb))

    def _resize(self, count: int) -> Result:
        self.configure(dataclasses.replace(self.config, numprocesses=count))
        return self._answer(lambda: {"numprocesses": self.numprocesses})

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
        previous = self.config
        self.config = self.pool.config = config
        self._recipe = None
        if (previous.stdout_stream, previous.stderr_stream) != (
            config.stdout_stream,
            config.stderr_stream,
        ):
            self.output.change(config)
        self.send_all(self.pool.reconcile(self._now()))

    def settled(self) -> asyncio.Future[None]:
        """Resolves when nothing is on its way any more."""
        return self._when(lambda: self.pool.settled)

    def until(self, condition: str) -> asyncio.Future[None]:
        """Resolves when the watcher is `active`, `stopped` or `settled`."""
        if condition == "settled":
            return self.settled()
        return self._when(lambda: self.status() == condition and self.pool.settled)

    def send_signal(
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
                    process.send_signal(signum)
            for found in below:
                tree.send(found, signum)

    # -- the only way in ------------------------------------------------

    def send(self, wid: int, event: core.Event) -> None:
        """Take in an event of one slot. Never blocks, never awaits."""
        self.send_all(self.pool.handle(wid, event, self._now()))

    def send_all(self, effects: Effects) -> None:
        """Perform what the pool decided, then see to timers and to those who wait."""
        for wid, effect in effects:
            self._perform(wid, effect)
        self._arm()
        self._tell_status()
        self._wake()

    def _perform(self, wid: int, effect: core.Effect) -> None:
        match effect:
            case core.Spawn():
                self.arbiter.spawner.add(self, wid)
            case core.Signal(signum):
                self._signal(wid, signum)
            case core.KillTree():
                process = self._by_wid.get(wid)
                if process is not None:
                    self.arbiter.strays.kill(process)
            case _:
                assert_never(effect)

    def _signal(self, wid: int, signum: int) -> None:
        process = self._by_wid.get(wid)
        if process is None:
            return
        if not process.alive:
            process.signal_leftovers(signum)
            return
        if self.config.stop_children:
            for child in process.children():
                tree.send(child, signum)
        process.send_signal(signum)
        self.arbiter.events.tell(self.name, "kill", process_pid=process.pid)

    # -- spawning ------------------------------------------------

    def spawn_now(self, wid: int) -> None:
        """Start the program for a slot whose turn it is; the answer is an event."""
        slot = self.pool.slots.get(wid)
        if slot is None or slot.state is not State.SPAWNING:
            return
        if not slot.wanted:
            self.send(wid, core.SpawnFailed("no longer wanted"))
            return
        try:
            process, order = self._start(wid)
        except (CircusError, OSError) as error:
            # also a sink that cannot be opened, or no descriptor left for a pipe
            self._spawn_failed(wid, error)
            return
        self._by_wid[wid] = process
        self.arbiter.strays.born(process)
        self.arbiter.reaper.watch(process.pid, lambda how: self._on_exit(process, order, how))
        if process.report is None:
            self._spawned(process)
        else:
            self.arbiter.loop.add_reader(process.report, self._on_report, process, order)

    def _start(self, wid: int) -> tuple[Process, spawn.Order]:
        if self._recipe is None:
            self._recipe = Recipe(self.config, self.arbiter.sockets)
        mark = self.arbiter.next_mark(self.name, wid)
        with self.output.pipes() as pipes:
            order = self._recipe.order(wid, mark, pipes.stdout, pipes.stderr)
            started = spawn.start(order)
            process = Process(self.name, wid, started.pid, mark)
            process.report = started.report
            pipes.hand_over(process)
        return process, order

    def _on_report(self, process: Process, order: spawn.Order) -> None:
        failure = self._read_report(process, order)
        if failure is None:
            self._spawned(process)
        # a launcher that failed ends at once: its end is what frees the slot

    def _read_report(self, process: Process, order: spawn.Order) -> SpawnError | None:
        if process.report is None:
            return None
        report, process.report = process.report, None
        self.arbiter.loop.remove_reader(report)
        failure = spawn.outcome(order, report)
        process.failure = failure
        return failure

    def _spawned(self, process: Process) -> None:
        self.processes[process.pid] = process
        logger.info("%s.%d started, pid %d", self.name, process.wid, process.pid)
        self.arbiter.events.tell(self.name, "spawn", process_pid=process.pid)
        self.send(process.wid, core.Spawned(process.pid, random.random()))

    def _spawn_failed(self, wid: int, error: Exception) -> None:
        if wid in self.pool.slots:
            failures = self.pool.slots[wid].failures
            # ever rarer: it may go on for days
            if failures < 3 or failures & (failures - 1) == 0:
                logger.error("%s.%d: %s (failure %d)", self.name, wid, error, failures + 1)
        self.arbiter.events.tell(self.name, "spawn_failed", wid=wid, error=str(error))
        self.send(wid, core.SpawnFailed(str(error), random.random()))

    # -- the end of a worker ------------------------------------------------

    def _on_exit(self, process: Process, order: spawn.Order, how: Exit) -> None:
        process.exit = how
        unread = process.report is not None
        failure = self._read_report(process, order) or process.failure
        self.arbiter.pump.ended(process.pid)
        if failure is not None:
            self.arbiter.strays.forget(process)
            self._by_wid.pop(process.wid, None)
            self._spawn_failed(process.wid, failure)
            return
        if unread:  # it ran and ended before we came to hear of either
            self._spawned(process)
        self.processes.pop(process.pid, None)
        self._ended(process, how)

    def _ended(self, process: Process, how: Exit) -> None:
        slot = self.pool.slots.get(process.wid)
        stopping = slot is not None and slot.state is State.STOPPING
        logger.log(
            logging.INFO if stopping or how.success else logging.WARNING,
            "%s.%d (pid %d) %s",
            self.name,
            process.wid,
            process.pid,
            how,
        )
        if not stopping or not self.pool.up:
            self.arbiter.events.tell(
                self.name, "reap", process_pid=process.pid, exit_code=how.number
            )
        left = tree.has_group(process.pid)
        waits = stopping or left
        self.arbiter.strays.ended(
            process,
            (lambda: self._on_empty(process)) if waits else None,
            self.config.graceful_timeout,
        )
        if not waits:
            self._by_wid.pop(process.wid, None)
        event = core.Exited(str(how), empty=not waits, success=how.success, luck=random.random())
        self.send(process.wid, event)

    def _on_empty(self, process: Process) -> None:
        if process.killed:
            logger.warning(
                "%s.%d did not stop by itself; killed: %s",
                self.name,
                process.wid,
                ", ".join(process.killed),
            )
        self._by_wid.pop(process.wid, None)
        self.send(process.wid, core.Emptied(random.random()))

    # -- timers, words, waiters ------------------------------------------------

    def _now(self) -> float:
        return self.arbiter.loop.time()

    def _arm(self) -> None:
        deadline = self.pool.deadline(self._now())
        if deadline == self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = None
        if deadline is not None:
            self._timer = self.arbiter.loop.call_at(deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = self._timer_at = None
        self.send_all(self.pool.due(self._now()))

    def _tell_status(self) -> None:
        word, settled = self.status(), self.pool.settled
        if (word, settled) == (self._word, self._settled):
            return
        previous, self._word, self._settled = self._word, word, settled
        if word != previous:
            if word == "active":
                logger.info("%s started", self.name)
                self.arbiter.events.tell(self.name, "start")
            elif word == "stopped":
                logger.info("%s stopped", self.name)
                self.arbiter.events.tell(self.name, "stop")
        self.arbiter.status_changed(self)

    def _wake(self) -> None:
        if not self._waiting:
            return
        still = []
        for condition, future in self._waiting:
            if future.done():
                continue
            if condition():
                future.set_result(None)
            else:
                still.append((condition, future))
        self._waiting = still

    def _when(self, condition: Callable[[], bool]) -> asyncio.Future[None]:
        future = self.arbiter.loop.create_future()
        if condition():
            future.set_result(None)
        else:
            self._waiting.append((condition, future))
        return future

    def _answer(self, result: Callable[[], dict[str, Any]]) -> Result:
        """A future of what an action came to, once everything has settled."""

        async def wait() -> dict[str, Any]:
            await self.settled()
            return result()

        return self.arbiter.keep(wait())

    # -- what an action came to ------------------------------------------------

    def _started(self, before: list[int]) -> dict[str, Any]:
        self._raise_if_fallen()
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
        self.arbiter.events.tell(self.name, "reload")
        logger.info("%s reloaded", self.name)
        return result

    def _raise_if_fallen(self) -> None:
        for slot in self.pool.slots.values():
            if slot.state in (State.BACKOFF, State.FAILED):
                report = slot_report(slot, self.config, self._now())
                raise CircusError(f"{self.name}.{slot.wid}: {report['last']}; {report['next']}")

    def _reopen_recipe(self) -> None:
        self._recipe = None

    def close(self) -> None:
        """Let go of timers and of output; the workers are gone by now."""
        if self._timer is not None:
            self._timer.cancel()
        self.output.close()
        for process in self._by_wid.values():
            if process.report is not None:
                with contextlib.suppress(OSError):
                    os.close(process.report)
