"""What programs, hooks above all, ask of a watcher beyond what we need of it ourselves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from circus.config.mapping import changed, options_of
from circus.config.schema import OnChange, cost_between
from circus.threads import asked_in_loop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.config.model import WatcherConfig
    from circus.engine import Engine
    from circus.process import Process
    from circus.threads import Door

NOTHING_TO_DO, DONE, TO_BE_REPLACED = -1, 0, 1


class WatcherSurface:
    """Mixed into Watcher. Each option can also be read as an attribute, as it is in use."""

    config: WatcherConfig
    door: Door
    engine: Engine

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

    # -- in words ------------------------------------------------

    def status(self) -> str:
        """To be said by the watcher."""
        raise NotImplementedError

    def is_active(self) -> bool:
        """Whether all workers that it should have run."""
        return self.status() == "active"

    def is_stopping(self) -> bool:
        """Whether workers are being stopped."""
        return self.status() == "stopping"

    def is_stopped(self) -> bool:
        """Whether nothing runs."""
        return self.status() == "stopped"

    @property
    def processes(self) -> Mapping[int, Process]:
        """To be said by the watcher."""
        raise NotImplementedError

    def get_active_processes(self) -> list[Process]:
        """The workers that run, in the order they were started."""
        return list(self.processes.values())

    def get_active_pids(self) -> list[int]:
        """Their pids."""
        return list(self.processes)

    # -- changes ------------------------------------------------

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
