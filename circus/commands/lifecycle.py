"""Commands that start, stop, replace and signal workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circus.commands.command import Command, Reply, Role, argument, command
from circus.commands.foresight import kills, replacements, starts, stops
from circus.commands.kinds import Name, Pid, Seconds, Signum, Words
from circus.commands.waiting import AllDone
from circus.exc import CircusError, MessageError

if TYPE_CHECKING:
    from asyncio import Future

    from circus.engine import Engine
    from circus.steps import Step
    from circus.threads import Outcome
    from circus.watcher import Watcher


class Action(Command):
    """An action on watchers, which takes its time."""

    waits = True
    several = True

    @classmethod
    def show(cls, reply: Reply) -> str:
        """`ok`, and what did not end by itself."""
        killed = reply.get("killed")
        if not killed and isinstance(reply.get("info"), dict):
            killed = reply["info"].get("killed")
        if not killed:
            return "ok"
        return "ok\nhad to be killed: " + ", ".join(str(one) for one in killed)


@command("start", Role.OPERATE)
class Start(Action):
    """Start the arbiter or a watcher.

    Without a name, every watcher that has `autostart`.
    """

    name: Name | None = argument("the watcher, or a pattern", default=None)
    match: str = argument("how NAME is read: simple, glob or regex", default="glob", flag="--match")

    def run(self, engine: Engine) -> Outcome[Any]:
        """Answers with the pids `started` and `kept` when one watcher matches."""
        if self.name is None:
            return engine.orders.start()
        return engine.orders.start(engine.match(self.name, self.match))

    async def foresee(self, engine: Engine) -> list[Step]:
        """What they require is started too."""
        if self.name is not None:
            return starts(engine, engine.match(self.name, self.match))
        return starts(engine, [one for one in engine.watchers if one.config.autostart])


@command("stop", Role.OPERATE)
class Stop(Action):
    """Stop watchers.

    Without a name, all of them. It is done when nothing that the workers started is left.
    """

    name: Name | None = argument("the watcher, or a pattern", default=None)
    match: str = argument("how NAME is read: simple, glob or regex", default="glob", flag="--match")

    def run(self, engine: Engine) -> Outcome[Any]:
        """Answers with what had to be killed."""
        if self.name is None:
            return engine.orders.stop()
        return engine.orders.stop(engine.match(self.name, self.match))

    async def foresee(self, engine: Engine) -> list[Step]:
        """Those that run."""
        found = engine.watchers if self.name is None else engine.match(self.name, self.match)
        return stops(engine, found)


@command("restart", Role.OPERATE)
class Restart(Action):
    """Restart the arbiter or a watcher.

    Without a name the whole daemon stops everything, reads its file again and starts, which takes
    an administrator. What is asked meanwhile is answered once it has started, unless keys are asked
    for, or the endpoints or those who are let in are others by then.
    """

    name: Name | None = argument("the watcher, or a pattern", default=None)
    match: str = argument("how NAME is read: simple, glob or regex", default="glob", flag="--match")

    def run(self, engine: Engine) -> Outcome[Any]:
        """Answers with the pids `stopped`, `started` and `kept` when one watcher matches."""
        if self.name is None:
            return engine.restart_daemon()
        return engine.orders.restart(engine.match(self.name, self.match))

    async def foresee(self, engine: Engine) -> list[Step]:
        """Without a name the file is not read for that: `plan` tells what is in it."""
        found = engine.watchers if self.name is None else engine.match(self.name, self.match)
        return replacements(engine, found, graceful=False)

    @property
    def needs(self) -> Role:
        """Without a name it is about the daemon."""
        return Role.ADMIN if self.name is None else Role.OPERATE

    @property
    def checked(self) -> bool:
        """Without a name the file is read."""
        return self.name is None


@command("reload", Role.OPERATE)
class Reload(Action):
    """Reload the arbiter or a watcher.

    New workers take the places of old ones, which go when the new ones stand. With `send_hup`
    the workers get SIGHUP instead. Without a name, every watcher that runs.
    """

    name: Name | None = argument("the watcher", default=None)
    graceful: bool = argument("stop, then start", default=True, flag="--terminate")
    sequential: bool = argument("one worker at a time", default=False)

    def run(self, engine: Engine) -> Outcome[Any]:
        """Answers with the pids `stopped`, `started` and `kept` of a named watcher."""
        chosen = None if self.name is None else [engine.get_watcher(self.name)]
        return engine.orders.reload(chosen, graceful=self.graceful, sequential=self.sequential)

    async def foresee(self, engine: Engine) -> list[Step]:
        """Without a name, those that run."""
        if self.name is not None:
            chosen = [engine.get_watcher(self.name)]
        else:
            chosen = [one for one in engine.watchers if one.pool.up]
        return replacements(engine, chosen, graceful=self.graceful)


@command("signal", Role.OPERATE)
class Signal(Command):
    """Send a signal.

    To all workers of a watcher or to one of them; with `--children` to the children of the
    workers instead, with `--recursive` to the workers and everything below them.
    """

    several = True

    name: Name = argument("the watcher")
    pid: Pid | None = argument("one worker only", default=None)
    signum: Signum = argument("number or name, such as 15, TERM or SIGTERM")
    childpid: Pid | None = argument("this child of the worker", default=None, wire_only=True)
    children: bool = argument("signal the children only", default=False)
    recursive: bool = argument("signal the descendants too", default=False)

    def run(self, engine: Engine) -> Reply:
        """The signal is on its way when this returns."""
        if self.childpid is not None and self.pid is None:
            raise MessageError("cannot specify childpid without pid")
        engine.get_watcher(self.name).signal(
            int(self.signum),
            pid=self.pid,
            childpid=self.childpid,
            children=self.children,
            recursive=self.recursive,
        )
        return {}


@command("freeze", Role.OPERATE)
class Freeze(Command):
    """Let the workers of a watcher rest.

    They and all that they started keep what they have and get no processor time until `thaw`. A
    stop, a restart or a reload ends them as ever.
    """

    several = True

    name: Name = argument("the watcher")

    def run(self, engine: Engine) -> Reply:
        """Those that are started later are not frozen."""
        engine.get_watcher(self.name).freeze()
        return {}


@command("thaw", Role.OPERATE)
class Thaw(Command):
    """Let the workers of a frozen watcher go on."""

    several = True

    name: Name = argument("the watcher")

    def run(self, engine: Engine) -> Reply:
        """Also when none is frozen."""
        engine.get_watcher(self.name).thaw()
        return {}


@command("kill", Role.OPERATE)
class Kill(Action):
    """Kill a specific process.

    One worker, or all of a watcher, are stopped as a stop does: first the signal, then, after
    the time-out, SIGKILL. Then others take their places.
    """

    name: Name = argument("the watcher")
    pid: Pid | None = argument("one worker only", default=None)
    signum: Signum | None = argument(
        "instead of the watcher's stop_signal", default=None, flag="--signum", metavar="SIGNAL"
    )
    graceful_timeout: Seconds | None = argument(
        "instead of the watcher's", default=None, flag="--graceful_timeout", metavar="SECONDS"
    )

    def run(self, engine: Engine) -> Outcome[Any]:
        """Settles when the successors run."""
        watcher = engine.get_watcher(self.name)
        return watcher.kill(self.pid, self._number, self.graceful_timeout)

    async def foresee(self, engine: Engine) -> list[Step]:
        """One for each worker that is meant."""
        watcher = engine.get_watcher(self.name)
        running = watcher.processes
        chosen = running.values() if self.pid is None else [watcher.get_process(self.pid)]
        return kills(watcher, chosen, self._number, self.graceful_timeout)

    @property
    def _number(self) -> int | None:
        return None if self.signum is None else int(self.signum)


CONDITIONS = ("active", "stopped", "settled")


@command("wait", Role.READ)
class Wait(Command):
    """Wait until watchers are active, stopped or settled.

    Settled: nothing is on its way any more. Exit status 3 when it takes longer than the time-out.
    """

    patient = True

    names: Words = argument("the watchers", metavar="NAME")
    until: str = argument(
        "active, stopped or settled", default="active", flag="--for", metavar="CONDITION"
    )
    timeout: Seconds | None = argument(
        "give up after this long", default=None, flag="--timeout", metavar="SECONDS"
    )

    def run(self, engine: Engine) -> Future[Any]:
        """Answers when the last one is there."""
        if self.until not in CONDITIONS:
            raise MessageError(f"cannot wait for {self.until[:40]!r}: {', '.join(CONDITIONS)}")
        watchers = [engine.get_watcher(name) for name in self.names]

        def outcome() -> Reply:
            return {"statuses": {watcher.name: watcher.status() for watcher in watchers}}

        def late() -> CircusError:
            return CircusError(f"not {self.until} after {self.timeout:g} s: {_states(watchers)}")

        awaited = [watcher.until(self.until) for watcher in watchers]
        return AllDone(engine.loop, awaited, outcome, late, self.timeout).answer

    @classmethod
    def show(cls, reply: Reply) -> str:
        """Name and state, one per line."""
        return "\n".join(f"{name}: {word}" for name, word in sorted(reply["statuses"].items()))


def _states(watchers: list[Watcher]) -> str:
    return ", ".join(f"{watcher.name} is {watcher.status()}" for watcher in watchers)
