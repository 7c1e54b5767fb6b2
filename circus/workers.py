"""The processes of one watcher: started and signalled as its pool decides, their ends told."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import signal
import time
from functools import partial
from typing import TYPE_CHECKING, assert_never

from circus.aside import aside
from circus.core import slot as core
from circus.core.life import Answered, Ask
from circus.core.pool import ITSELF
from circus.core.slot import State
from circus.exc import CircusError, NotFound, SpawnError
from circus.freezer import Freezer
from circus.host import identity, spawn, tree
from circus.limits import Limits
from circus.logs import about
from circus.output import Output
from circus.process import Process
from circus.recipe import Recipe

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from circus.config.model import WatcherConfig
    from circus.core.pool import Pool
    from circus.core.verdict import Verdict
    from circus.engine import Engine
    from circus.hooks import Hooks
    from circus.host.reaper import Exit

logger = logging.getLogger(__name__)


class Workers:
    """Performs the effects of a pool; what comes of them goes to `send` as events of a slot.

    Everything here belongs to the loop's thread.
    """

    def __init__(
        self,
        config: WatcherConfig,
        pool: Pool,
        engine: Engine,
        hooks: Hooks,
        send: Callable[[int, core.Event | Answered], None],
    ) -> None:
        self.running: dict[int, Process] = {}
        """By pid, in the order they were started."""
        self._config = config
        self._about = about(config.name)
        self._pool = pool
        self._engine = engine
        self._hooks = hooks
        self._send = send
        self._output = Output(config, engine, self._go_on)
        self._limits = Limits(config, engine.loop, engine.alarms)
        self.freezer = Freezer()
        self._by_wid: dict[int, Process] = {}
        """Also those that are just being started, and those whose tree is not gone yet."""
        self._recipe: Recipe | None = None
        self._preparing: asyncio.Future[Recipe] | None = None
        self._held: list[int] = []
        """Slots whose start waits for the recipe, or for sinks."""
        self._on_trial: set[Process] = set()
        """Those that run and that the after_spawn hook has not accepted yet."""
        self._closed = False

    def configure(self, config: WatcherConfig) -> None:
        """What is started from now on follows this; of what runs, only its output does."""
        self._config = config
        self._limits.change(config, self._by_wid.values)
        self._output.change(config, running=bool(self._by_wid))
        self.look_up_again()

    @property
    def unlimited(self) -> str:
        """Why some limits have no effect; or nothing."""
        return self._limits.trouble

    def look_up_again(self) -> None:
        """Users, groups and the daemon's environment count as they are at the next start."""
        self._recipe = self._preparing = None
        if self._held:
            self._prepare()

    def get(self, pid: int) -> Process:
        """Raises NotFound."""
        if pid not in self.running:
            raise NotFound(f"process {pid} not found in {self._config.name!r}")
        return self.running[pid]

    def drop_unwanted(self) -> None:
        """Give up the starts that wait for a look-up and that nobody wants any more."""
        dropped = [wid for wid in self._held if not self._pool.slots[wid].wanted]
        self._held = [wid for wid in self._held if wid not in dropped]
        for wid in dropped:
            self._send(wid, core.SpawnFailed("no longer wanted"))

    def close(self) -> None:
        """Let go of descriptors and start nothing more; whatever still runs is left alone."""
        self._closed = True
        self._output.close()
        self._limits.close()
        for process in self._by_wid.values():
            if process.report is not None:
                self._engine.loop.remove_reader(process.report)
                with contextlib.suppress(OSError):
                    os.close(process.report)
                process.report = process.order = None  # its number may be somebody else's by then

    # -- effects ------------------------------------------------

    def perform(self, wid: int, effect: core.Effect | Ask) -> None:
        """Do what the pool decided. Never blocks; the answer is an event, later."""
        match effect:
            case core.Spawn():
                self._hooks.ask(
                    "before_spawn",
                    partial(self._may_spawn, wid),
                    wid=wid,
                    still=lambda: self._pool.wants(wid),
                )
            case core.Signal(signum):
                self._stop(wid, signum)
            case core.KillTree():
                if (process := self._by_wid.get(wid)) is not None:
                    self._engine.trees.kill(process)
                    if process.alive:
                        self._tell_of_signal(process, signal.SIGKILL)
            case Ask(hook):
                self._hooks.ask(hook, self._answer)
            case _:
                assert_never(effect)

    def _answer(self, verdict: Verdict) -> None:
        answered = Answered(verdict.refusal, verdict.later, random.random())
        self._send(ITSELF, answered)

    # -- signals ------------------------------------------------

    def signal(self, process: Process, signum: int) -> None:
        """Signal the leader, unless the before_signal hook is against it."""
        self._when_allowed(process, signum, lambda: process.send_signal(signum))

    def _stop(self, wid: int, signum: int) -> None:
        process = self._by_wid.get(wid)
        if process is None:
            return
        if not process.alive:
            self._engine.trees.signal(process, signum)
            return

        def send() -> None:
            self.freezer.thaw(process)
            if self._config.stop_children:
                for child in process.below(children=True, recursive=False):
                    tree.send(child, signum)
            process.send_signal(signum)

        def told() -> None:
            self._tell("kill", wid=process.wid, process_pid=process.pid)

        self._when_allowed(process, signum, send, told)

    def _when_allowed(
        self,
        process: Process,
        signum: int,
        send: Callable[[], None],
        told: Callable[[], None] = lambda: None,
    ) -> None:
        """`send`, with the hooks around it, and `told` also when it was not allowed."""
        if signum == signal.SIGKILL:  # cannot be vetoed, so it does not wait either
            send()
            told()
            self._tell_of_signal(process, signum)
            return

        facts = {"pid": process.pid, "signum": signum}

        def allowed(verdict: Verdict) -> None:
            if not process.alive:
                return
            if not verdict.refusal:
                send()
                self._hooks.tell("after_signal", facts)
            told()

        self._hooks.ask(
            "before_signal",
            allowed,
            facts,
            wid=process.wid,
            still=lambda: process.alive,
        )

    def _tell_of_signal(self, process: Process, signum: int) -> None:
        for hook in ("before_signal", "after_signal"):
            self._hooks.tell(hook, {"pid": process.pid, "signum": signum})

    # -- the start of a worker ------------------------------------------------

    def _may_spawn(self, wid: int, verdict: Verdict) -> None:
        if verdict.refusal:
            refused = core.Refused(verdict.refusal, verdict.later, luck=random.random())
            self._send(wid, refused)
        else:
            self._engine.spawner.add(self._spawn, wid)

    def _spawn(self, wid: int) -> None:
        slot = self._pool.slots.get(wid)
        if self._closed or slot is None or slot.state is not State.SPAWNING:
            return
        if not slot.wanted:
            self._send(wid, core.SpawnFailed("no longer wanted"))
            return
        if not self._ready():
            self._held.append(wid)
            return
        try:
            process = self._start(wid)
        except (CircusError, OSError) as error:
            # also a sink that cannot be opened, or no descriptor left for a pipe
            self._spawn_failed(wid, error)
            return
        self._by_wid[wid] = process
        self._engine.trees.born(process)
        self._engine.reaper.watch(process.pid, partial(self._on_exit, process))
        if process.report is None:
            self._spawned(process)
        else:
            self._engine.loop.add_reader(process.report, self._on_report, process)

    def _start(self, wid: int) -> Process:
        if self._recipe is None:
            self._recipe = Recipe(self._config, self._engine.sockets)
        name = self._config.name
        mark = self._engine.next_mark(name, wid)
        with (
            self._output.pipes() as pipes,
            self._recipe.own_sockets() as own,
            self._engine.trees.leaf(name, wid) as leaf,
        ):
            self._limits.prepare(leaf)
            procs = None if leaf is None else leaf.procs
            order = self._recipe.order(
                wid, mark, pipes.stdout, pipes.stderr, own, cgroup_procs=procs
            )
            started = spawn.start(order)
            process = Process.of_worker(name, wid, started.pid, mark, leaf)
            if started.report is not None:
                process.report, process.order = started.report, order
            pipes.hand_over(process, self._pool.generation)
        return process

    def _ready(self) -> bool:
        """Whether a worker can be started at once; if not, what is missing is seen to."""
        known = self._recipe is not None or not identity.must_be_looked_up(self._config)
        if not known and self._preparing is None:
            self._prepare()
        return self._output.ready() and known

    def _prepare(self) -> None:
        """Look users and groups up: a name service may take its time, and nobody waits for it."""
        config, sockets = self._config, self._engine.sockets
        self._preparing = aside(self._engine.loop, lambda: Recipe(config, sockets))
        self._preparing.add_done_callback(self._prepared)

    def _prepared(self, preparing: asyncio.Future[Recipe]) -> None:
        error = preparing.exception()
        if preparing is not self._preparing:  # it is for a configuration that no longer counts
            return
        self._preparing = None
        if error is None:
            self._recipe = preparing.result()
        self._go_on(error)

    def _go_on(self, error: BaseException | None) -> None:
        """Something that starts have waited for is there, or is not to be had."""
        held, self._held = self._held, []
        if error is not None and not held:
            text = "%s: nothing changes for those that run: %s"
            logger.warning(text, self._config.name, error, extra=self._about)
        for wid in held:
            if error is None:
                self._engine.spawner.add(self._spawn, wid)
            else:
                self._spawn_failed(wid, error)

    def _on_report(self, process: Process) -> None:
        if self._read_report(process) is None:
            self._spawned(process)
        # a launcher that failed ends at once: its end is what frees the slot

    def _read_report(self, process: Process) -> SpawnError | None:
        report, order = process.report, process.order
        if report is None or order is None:
            return None
        process.report = process.order = None
        self._engine.loop.remove_reader(report)
        process.failure = spawn.outcome(order, report)
        return process.failure

    def _spawned(self, process: Process) -> None:
        if process.alive:
            self.running[process.pid] = process
            self._limits.watch(process)
        text = "%s.%d started, pid %d"
        logger.info(text, self._config.name, process.wid, process.pid, extra=self._about)
        self._on_trial.add(process)
        self._hooks.ask(
            "after_spawn",
            partial(self._accept, process),
            {"pid": process.pid},
            wid=process.wid,
            still=lambda: self._pool.wants(process.wid),
        )

    def _accept(self, process: Process, verdict: Verdict) -> None:
        """It counts as a worker from now on; or it is stopped, when a hook does not want it."""
        self._on_trial.discard(process)
        event: core.Event = core.Spawned(process.pid, random.random())
        if verdict.refusal:
            event = core.Refused(verdict.refusal, verdict.later, process.pid, random.random())
        else:
            self._tell("spawn", wid=process.wid, process_pid=process.pid)
        self._send(process.wid, event)
        if process.exit is not None:
            self._ended(process, process.exit)

    def _spawn_failed(self, wid: int, error: BaseException) -> None:
        slot = self._pool.slots.get(wid)
        # ever rarer: it may go on for days
        if slot is not None and (slot.failures < 3 or slot.failures & (slot.failures - 1) == 0):
            count = slot.failures + 1
            text = "%s.%d: %s (failure %d)"
            logger.error(text, self._config.name, wid, error, count, extra=self._about)
        self._tell("spawn_failed", wid=wid, error=str(error))
        self._settle(wid, core.SpawnFailed(str(error), random.random()))

    def _settle(self, wid: int, event: core.Event) -> None:
        """Send what ended a worker or kept it from starting; tell when that was the last try."""
        self._send(wid, event)
        slot = self._pool.slots.get(wid)
        if slot is None or slot.state is not State.FAILED:
            return
        name, retries = self._config.name, self._config.max_retry
        if 0 <= retries <= slot.failures:  # else a hook did not want it, which has been told
            text = "%s.%d is given up: %s (max_retry %d reached); 'circusctl start %s' tries again"
            logger.error(text, name, wid, slot.last, retries, name, extra=self._about)
            self._tell("gave_up", wid=wid, error=slot.last)

    # -- the end of a worker ------------------------------------------------

    def _on_exit(self, process: Process, how: Exit) -> None:
        process.exit = how
        unread = process.report is not None
        failure = self._read_report(process) or process.failure
        self._engine.pump.ended(process.pid)
        if failure is not None:
            self._engine.trees.forget(process)
            self._by_wid.pop(process.wid, None)
            self._spawn_failed(process.wid, failure)
            return
        self.running.pop(process.pid, None)
        self.freezer.ended(process)
        if unread:  # it ran and ended before we came to hear of either
            self._spawned(process)
        elif process not in self._on_trial:
            self._ended(process, how)

    def _ended(self, process: Process, how: Exit) -> None:
        slot = self._pool.slots.get(process.wid)
        stopping = slot is not None and slot.state is State.STOPPING
        words = self._limits.ended(process, how)
        done = how.code in self._config.done_codes
        self._log_end(process, words, meant=stopping or how.success or done)
        if not stopping or not self._pool.up:
            ended = {"process_pid": process.pid, "exit_code": how.number, "how": words}
            self._tell("reap", wid=process.wid, **ended)
        self._tell_of_end(process, how, asked=stopping)
        waits = self._engine.trees.ended(
            process, partial(self._on_empty, process), self._config.graceful_timeout, asked=stopping
        )
        if not waits:
            self._gone(process)
        event = core.Exited(
            words, empty=not waits, success=how.success, done=done, luck=random.random()
        )
        self._settle(process.wid, event)

    def _tell_of_end(self, process: Process, how: Exit, *, asked: bool) -> None:
        """It has been collected already: hooks may take their time."""
        facts = {"process_pid": process.pid, "time": time.time()}
        self._hooks.tell("before_reap", facts)
        status = None if asked else how.status
        more = {"exit_code": how.number, "process_status": status}
        self._hooks.tell("after_reap", {**facts, **more})

    def _log_end(self, process: Process, words: str, *, meant: bool) -> None:
        logger.log(
            logging.INFO if meant else logging.WARNING,
            "%s.%d (pid %d) %s",
            self._config.name,
            process.wid,
            process.pid,
            words,
            extra=self._about,
        )

    def _on_empty(self, process: Process) -> None:
        self._gone(process)
        self._settle(process.wid, core.Emptied(random.random()))

    def _gone(self, process: Process) -> None:
        """Nothing is left of it."""
        if process.killed:
            logger.warning(
                "%s.%d did not stop by itself; killed: %s",
                self._config.name,
                process.wid,
                ", ".join(process.killed),
                extra=self._about,
            )
        self._by_wid.pop(process.wid, None)

    def _tell(self, event: str, **fields: object) -> None:
        self._engine.events.tell(self._config.name, event, **fields)
