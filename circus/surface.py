"""What programs, hooks above all, ask of a watcher beyond what we need of it ourselves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from circus.config import kinds
from circus.config.mapping import changed, options_of
from circus.config.schema import OnChange, cost_between
from circus.exc import ConflictError
from circus.threads import Outcome, asked_in_loop, from_any_thread
from circus.wire import topic_name

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Mapping

    from circus.config.model import WatcherConfig
    from circus.core.pool import Pool
    from circus.engine import Engine
    from circus.hooks import Hooks
    from circus.process import Process
    from circus.threads import Door

Result = Outcome[dict[str, Any]]
NOTHING_TO_DO, DONE, TO_BE_REPLACED = -1, 0, 1


class WatcherSurface:
    """Mixed into Watcher. Each option can also be read as an attribute, as it is in use."""

    config: WatcherConfig
    door: Door
    engine: Engine
    pool: Pool
    attached: bool
    _hooks: Hooks

    if TYPE_CHECKING:  # what it builds on is the watcher's own

        def status(self) -> str: ...
        @property
        def processes(self) -> Mapping[int, Process]: ...
        def get_process(self, pid: int) -> Process: ...
        def extended(self, pid: int | None = None) -> Result: ...

    if not TYPE_CHECKING:  # a mistake of our own is to be found there

        def __getattr__(self, name: str) -> object:
            config = self.__dict__.get("config")
            if config is None or name.startswith("_") or not hasattr(config, name):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            return getattr(config, name)

    @property
    def env(self) -> dict[str, str]:
        """The variables that workers get, but for those of files and our own."""
        inherited = os.environ if self.config.copy_env else {}
        return {**inherited, **self.config.env}

    @property
    def res_name(self) -> str:
        """As it stands in event topics."""
        return topic_name(self.config.name)

    @property
    def cmd(self) -> str:
        """As written in the configuration."""
        return self.config.cmd

    @property
    def hooks(self) -> dict[str, Any]:
        """By name: the function, or its dotted name."""
        return {name: function for name, (function, _) in self.config.hooks.items()}

    @property
    def ignore_hook_failure(self) -> list[str]:
        """Names of hooks that may fail."""
        return [name for name, (_, ignored) in self.config.hooks.items() if ignored]

    @property
    def optnames(self) -> list[str]:
        """The keys of `options`."""
        return list(options_of(self.config))

    def options(self) -> list[tuple[str, Any]]:
        """Every option under the key that a file uses, with its value as JSON has it."""
        return list(options_of(self.config).items())

    @property
    def arbiter(self) -> object:
        """Whoever runs it."""
        return self.engine.face

    @property
    def sockets(self) -> Mapping[str, object]:
        """Those of the arbiter that runs it, by their names in lower case."""
        return self.engine.sockets if self.attached else {}

    def initialize(self, evpub_socket: object, sockets: object, arbiter: object) -> None:
        """Called when an arbiter takes it in, before anything is started; for subclasses.

        In the loop's thread, so it must not block. `evpub_socket` is None: see `notify_event`.
        """

    # -- in words ------------------------------------------------

    def is_active(self) -> bool:
        """Whether all workers that it should have run."""
        return self.status() == "active"

    def is_stopping(self) -> bool:
        """Whether workers are being stopped."""
        return self.status() == "stopping"

    def is_stopped(self) -> bool:
        """Whether nothing runs."""
        return self.status() == "stopped"

    def get_active_processes(self) -> list[Process]:
        """The workers that run, in the order they were started."""
        return list(self.processes.values())

    def get_active_pids(self) -> list[int]:
        """Their pids."""
        return list(self.processes)

    def info(self, extended: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002
        """What `stats` tells of each worker, by pid.

        `extended`: with what the extended_stats hook adds; waits for that, so not in the loop.
        """
        return self.extended().result() if extended else self._info()

    def process_info(self, pid: int, extended: bool = False) -> dict[str, Any] | str:  # noqa: FBT001, FBT002
        """The same of one worker. Raises NotFound."""
        if extended:
            found: dict[str, Any] | str = self.extended(pid).result()[str(pid)]
            return found
        return self._process_info(pid)

    @asked_in_loop
    def _info(self) -> dict[str, Any]:
        return {str(pid): process.info() for pid, process in self.processes.items()}

    @asked_in_loop
    def _process_info(self, pid: int) -> dict[str, Any] | str:
        return self.get_process(pid).info()

    # -- what goes on by itself ------------------------------------------------

    def settled(self) -> Future[None]:
        """To be said by the watcher."""
        raise NotImplementedError

    @from_any_thread
    def manage_processes(self) -> Result:
        """Nobody has to ask for it; the outcome is there when nothing is on its way any more."""

        async def wait() -> dict[str, Any]:
            await self.settled()
            return {}

        return self.engine.keep(wait())

    def reap_process(self, pid: int, status: int | None = None) -> Result:
        """The same: a death is noticed and answered at once."""
        return self.manage_processes()

    def spawn_process(self, _recovery_wid: int | None = None) -> Result:
        """The same: what is missing is started. For one more worker see `incr`."""
        return self.manage_processes()

    reap_processes = reap_and_manage_processes = manage_processes
    spawn_processes = remove_expired_processes = manage_processes

    # -- signals ------------------------------------------------

    def kill(
        self,
        pid: int | None = None,
        signum: int | None = None,
        graceful_timeout: float | None = None,
    ) -> Result:
        """To be done by the watcher."""
        raise NotImplementedError

    def signal(
        self,
        signum: int,
        *,
        pid: int | None = None,
        childpid: int | None = None,
        children: bool = False,
        recursive: bool = False,
    ) -> None:
        """To be done by the watcher."""
        raise NotImplementedError

    def kill_process(
        self,
        process: Process,
        stop_signal: int | str | None = None,
        graceful_timeout: float | None = None,
        *,
        sig: int | str | None = None,
    ) -> Result:
        """Stop one worker as a stop does; another takes its place. `sig` is `stop_signal`."""
        return self.kill(process.pid, _number(stop_signal or sig), graceful_timeout)

    def kill_processes(
        self,
        stop_signal: int | str | None = None,
        graceful_timeout: float | None = None,
    ) -> Result:
        """The same with all of them."""
        return self.kill(None, _number(stop_signal), graceful_timeout)

    def send_signal(self, pid: int, signum: int) -> None:
        """Signal a worker. Raises NotFound."""
        self.signal(signum, pid=pid)

    def send_signal_process(
        self,
        process: Process,
        signum: int,
        recursive: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        """Signal a worker; `recursive`: and all below it. Raises NotFound."""
        self.signal(signum, pid=process.pid, recursive=recursive)

    def send_signal_child(self, pid: int, child_id: int, signum: int) -> None:
        """Signal one child of a worker. Raises NotFound."""
        self.signal(signum, pid=pid, childpid=child_id)

    def send_signal_children(self, pid: int, signum: int, recursive: bool = False) -> None:  # noqa: FBT001, FBT002
        """Signal the children of a worker; `recursive`: all below it. Raises NotFound."""
        self.signal(signum, pid=pid, children=True, recursive=recursive)

    def call_hook(self, hook_name: str, **given: object) -> bool:
        """Call a hook in this thread, which waits for it; whether it agrees, or there is none.

        It does not wait for the turn of other hooks. Raises ConflictError before an arbiter runs
        it, and in the loop's thread.
        """
        if not self.attached:
            raise ConflictError(f"cannot call hook {hook_name}: no arbiter runs the watcher")
        if self.door.here:
            raise ConflictError(f"cannot call hook {hook_name} in the loop's thread: it may block")
        return self._hooks.call_here(hook_name, given)

    # -- changes ------------------------------------------------

    def reload(self, graceful: bool = True, sequential: bool = False) -> Result:  # noqa: FBT001, FBT002
        """To be done by the watcher."""
        raise NotImplementedError

    @from_any_thread
    def do_action(self, num: int) -> Result:
        """What `set_opt` answered with: 1 replaces the workers."""
        if num == TO_BE_REPLACED and self.pool.up:
            return self.reload()
        return self.manage_processes()

    def configure(self, config: WatcherConfig) -> None:
        """To be done by the watcher."""
        raise NotImplementedError

    @asked_in_loop
    def set_opt(self, key: str, val: object) -> int:
        """Change one option. Raises ArgumentError, or ConfigError.

        -1: it had that value; 0: it counts from now on; 1: for workers that are started from now
        on (see `do_action`).
        """
        wanted = changed(self.config, {key: val})
        if wanted == self.config:
            return NOTHING_TO_DO
        needed = cost_between(self.config, wanted)
        self.configure(wanted)
        return TO_BE_REPLACED if needed >= OnChange.REPLACE else DONE

    def notify_event(self, topic: str, msg: Mapping[str, object]) -> None:
        """Publish an event of this watcher."""
        fields = {str(key): value for key, value in msg.items()}
        self.door.post(lambda: self.engine.events.tell(self.config.name, topic, **fields))


def _number(signal: int | str | None) -> int | None:
    return None if signal is None else int(kinds.SIGNAL.parse(signal))
