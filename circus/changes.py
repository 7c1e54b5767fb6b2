"""Takes changes of the configuration in: checked as a whole first, then applied."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from circus.aside import aside
from circus.config.load import load
from circus.config.model import changed, cost
from circus.config.plan import Action, plan
from circus.config.schema import OnChange
from circus.core.graph import find_cycle
from circus.exc import ArgumentError, CircusError
from circus.host.survey import survey
from circus.startup import needs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.arbiter import Arbiter
    from circus.config.model import Config, WatcherConfig
    from circus.watcher import Result, Watcher

logger = logging.getLogger(__name__)


class Changes:
    """The one way in which what was asked for changes while circusd runs."""

    def __init__(self, arbiter: Arbiter) -> None:
        self._arbiter = arbiter

    def change(self, name: str, options: Mapping[str, object]) -> Result:
        """Change options of a watcher. Raises NotFound, ArgumentError; nothing is changed then.

        Options that need new workers are looked up on this machine first, which may block.
        """
        watcher = self._arbiter.get_watcher(name)
        wanted = changed(watcher.config, options)
        self.refuse_loops(wanted)
        if cost(watcher.config, wanted) >= OnChange.REPLACE:
            _refuse_what_cannot_run(wanted)
        result = self._apply(watcher, wanted)
        for option in options:
            self._arbiter.events.tell(watcher.name, "updated", option=option)
        return result

    def refuse_loops(self, wanted: WatcherConfig) -> None:
        """Raises ArgumentError when with this configuration watchers would wait for each other."""
        edges = {one.name.lower(): needs(one.config) for one in self._arbiter.watchers}
        loop = find_cycle({**edges, wanted.name.lower(): needs(wanted)})
        if loop is not None:
            raise ArgumentError(f"a dependency loop: {' -> '.join(loop)}")

    async def read_file(self) -> Config:
        """What the file says now. Raises ConfigError; CircusError when there is no file."""
        path = self._arbiter.config.path
        if path is None:
            raise CircusError("cannot read the configuration again: it did not come from a file")
        return (await aside(self._arbiter.loop, lambda: load(path, dict(os.environ)))).config

    async def reload(self) -> dict[str, Any]:
        """Read the file again and do what it takes. Raises as `read_file`: nothing is done then."""
        wanted = await self.read_file()
        steps = plan(self._arbiter.config, wanted)
        self._arbiter.config = wanted
        results = []
        for step in steps:
            what = f"{step.kind} {step.name}: {', '.join(step.reasons)}"
            if step.kind == "watcher":
                logger.info("Configuration: %s of %s", step.action, what)
                results += self._follow(step.name, wanted.watchers.get(step.name.lower()))
            elif step.action is not Action.LIVE:
                logger.warning("Configuration: %s; counts when circusd is started again", what)
        await self._arbiter.gather(results)
        return {}

    def _follow(self, name: str, wanted: WatcherConfig | None) -> list[Result]:
        watcher = self._arbiter.find_watcher(name)
        if wanted is None:
            return [] if watcher is None else [self._arbiter.remove(name)]
        if watcher is not None:
            return [self._apply(watcher, wanted)]
        self._arbiter.add(wanted)
        return self._arbiter.autostart([self._arbiter.get_watcher(name)])

    def _apply(self, watcher: Watcher, wanted: WatcherConfig) -> Result:
        needed = cost(watcher.config, wanted)
        watcher.configure(wanted)
        if needed >= OnChange.REPLACE and watcher.pool.up:
            return watcher.reload()

        async def settle() -> dict[str, Any]:
            await watcher.settled()
            return {}

        return self._arbiter.keep(settle())


def _refuse_what_cannot_run(wanted: WatcherConfig) -> None:
    """Raises ArgumentError, before anything is touched."""
    problems = survey([wanted], lambda _section, _key: "")
    if problems:
        raise ArgumentError("; ".join(problem.message for problem in problems))
