"""Takes changes of the configuration in: checked as a whole first, then applied."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

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

    from circus.config.model import Config, WatcherConfig
    from circus.engine import Engine
    from circus.watcher import Result, Watcher

    Accepted = asyncio.Future[Result]

logger = logging.getLogger(__name__)


class Changes:
    """The one way in which what was asked for changes while circusd runs.

    Each answers with an `Accepted`: it fails when the change is refused, and nothing has been
    touched then; or it resolves, with a future of what the change came to.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By watcher, as long as somebody has or awaits a turn."""

    def change(self, name: str, options: Mapping[str, object]) -> Accepted:
        """Change options of a watcher. Raises NotFound, ArgumentError for what is wrong at once."""
        self._wanted(name, options)
        return self._engine.keep(self._change(name, options))

    async def _change(self, name: str, options: Mapping[str, object]) -> Result:
        # two changes of one watcher, of which the first is still being looked into: in their order
        async with self._turns.setdefault(name.lower(), asyncio.Lock()):
            watcher, wanted = self._wanted(name, options)
            if cost(watcher.config, wanted) >= OnChange.REPLACE:
                await aside(self._engine.loop, lambda: _refuse_what_cannot_run(wanted))
                # it may have been resized or removed meanwhile, or everything be ending
                watcher, wanted = self._wanted(name, options)
            result = self._apply(watcher, wanted)
        for option in options:
            self._engine.events.tell(watcher.name, "updated", option=option)
        return result

    def _wanted(self, name: str, options: Mapping[str, object]) -> tuple[Watcher, WatcherConfig]:
        self._engine.refuse_when_stopping()
        watcher = self._engine.get_watcher(name)
        wanted = changed(watcher.config, options)
        self.refuse_loops(wanted)
        return watcher, wanted

    def refuse_loops(self, wanted: WatcherConfig) -> None:
        """Raises ArgumentError when with this configuration watchers would wait for each other."""
        edges = {one.name.lower(): needs(one.config) for one in self._engine.watchers}
        loop = find_cycle({**edges, wanted.name.lower(): needs(wanted)})
        if loop is not None:
            raise ArgumentError(f"a dependency loop: {' -> '.join(loop)}")

    def reload(self) -> Accepted:
        """Read the file again and do what it takes."""
        return self._engine.keep(self._reload())

    def restart(self) -> Accepted:
        """Stop everything, then start what the file asks for by now."""

        async def restart() -> Result:
            await self._read_file()
            return self._engine.end(again=True)

        return self._engine.keep(restart())

    async def _read_file(self) -> Config:
        path = self._engine.config.path
        if path is None:
            raise CircusError("cannot read the configuration again: it did not come from a file")
        loaded = await aside(self._engine.loop, lambda: load(path, dict(os.environ)))
        self._engine.refuse_when_stopping()
        return loaded.config

    async def _reload(self) -> Result:
        wanted = await self._read_file()
        steps = plan(self._engine.config, wanted)
        self._engine.config = wanted
        results = []
        for step in steps:
            what = f"{step.kind} {step.name}: {', '.join(step.reasons)}"
            if step.kind == "watcher":
                logger.info("Configuration: %s of %s", step.action, what)
                results += self._follow(step.name, wanted.watchers.get(step.name.lower()))
            elif step.action is not Action.LIVE:
                logger.warning("Configuration: %s; counts when circusd is started again", what)
        return self._engine.gather(results)

    def _follow(self, name: str, wanted: WatcherConfig | None) -> list[Result]:
        watcher = self._engine.find_watcher(name)
        if wanted is None:
            return [] if watcher is None else [self._engine.remove(name)]
        if watcher is not None:
            return [self._apply(watcher, wanted)]
        self._engine.add(wanted)
        return self._engine.autostart([self._engine.get_watcher(name)])

    def _apply(self, watcher: Watcher, wanted: WatcherConfig) -> Result:
        needed = cost(watcher.config, wanted)
        watcher.configure(wanted)
        if needed >= OnChange.REPLACE and watcher.pool.up:
            return watcher.reload()

        async def settle() -> dict[str, Any]:
            await watcher.settled()
            return {}

        return self._engine.keep(settle())


def _refuse_what_cannot_run(wanted: WatcherConfig) -> None:
    """Raises ArgumentError, before anything is touched."""
    problems = survey([wanted], lambda _section, _key: "")
    if problems:
        raise ArgumentError("; ".join(problem.message for problem in problems))
