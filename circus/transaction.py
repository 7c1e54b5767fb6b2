"""One change of everything that runs: wholly, or not at all."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from circus.config.merge import undone
from circus.config.plan import plan
from circus.core import graph
from circus.exc import CircusError, NotYet
from circus.startup import needs
from circus.steps import Action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from circus.config.model import Config
    from circus.engine import Engine
    from circus.steps import Step
    from circus.swap import Swap

logger = logging.getLogger(__name__)


class Transaction:
    """From what runs to `wanted`, by `steps`. `swap` has bound the sockets that are new.

    `declared` is what the file says then; what runs may differ from it, by what was done by hand.

    Old workers are replaced first, then removed watchers stop, then new ones start: each part can
    fail without anything being lost, and then everything goes back to what it was.
    """

    def __init__(
        self, engine: Engine, declared: Config, wanted: Config, steps: Iterable[Step], swap: Swap
    ) -> None:
        self.declared = declared
        self._engine = engine
        self._wanted = wanted
        self._steps = [step for step in steps if step.kind == "watcher"]
        self._swap = swap
        self._before = engine.running()
        orders = engine.orders
        self._wanted_before = {one.name.lower() for one in engine.watchers if orders.is_wanted(one)}
        self._idle_before = {one.name.lower() for one in engine.watchers if orders.is_idle(one)}
        self._replaced: set[str] = set()
        """Watchers whose workers are other ones by now."""

    def begin(self) -> None:
        """What counts at once. Cannot fail, and takes no time: nobody sees one half of it."""
        self._swap.commit()
        for step in self._chosen(Action.LIVE, Action.ROLLING, Action.RESTART, Action.START):
            watcher = self._engine.find_watcher(step.name)
            if watcher is not None:
                watcher.configure(self._wanted.watchers[step.name.lower()])
        self._engine.orders.sockets_changed()

    async def see_through(self) -> None:
        """What takes time. Raises CircusError once everything is as it was before.

        When circusd ends meanwhile it is given up where it is: nothing is to run any more.
        """
        try:
            await self._replace(self._chosen(Action.ROLLING, Action.RESTART))
            await self._remove(self._chosen(Action.STOP))
            await self._start(self._chosen(Action.START, Action.ADD))
            self._engine.refuse_when_stopping()
        except CircusError as error:
            self._engine.refuse_when_stopping()
            await self._go_back()
            self._engine.refuse_when_stopping()
            raise CircusError(f"{error}; everything is as it was before") from error
        finally:
            self._swap.finish()

    def _chosen(self, *actions: Action) -> list[Step]:
        return [step for step in self._steps if step.action in actions]

    async def _replace(self, steps: list[Step]) -> None:
        """Those that others need go first."""
        by_name = {step.name.lower(): step for step in steps}
        edges = {name: needs(self._wanted.watchers[name]) for name in by_name}
        for layer in graph.layers(edges):
            self._engine.refuse_when_stopping()
            await _all(self._replace_one(by_name[name]) for name in layer)

    async def _replace_one(self, step: Step) -> None:
        watcher = self._engine.find_watcher(step.name)
        if watcher is not None and watcher.pool.up:
            await (watcher.replace() if step.action is Action.ROLLING else watcher.restart())
            self._replaced.add(step.name.lower())

    async def _remove(self, steps: list[Step]) -> None:
        there = [step.name for step in steps if self._engine.find_watcher(step.name) is not None]
        await _all(self._engine.take_out(name) for name in there)

    async def _start(self, steps: list[Step]) -> None:
        self._engine.refuse_when_stopping()
        watchers = []
        for step in steps:
            watcher = self._engine.find_watcher(step.name)
            if watcher is None:
                watcher = self._engine.take_in(self._wanted.watchers[step.name.lower()])
            watchers.append(watcher)
        await _all(map(_unless_it_waits, self._engine.orders.autostart(watchers)))

    async def _go_back(self) -> None:
        """What somebody changed meanwhile stays; who was not replaced yet is not touched."""
        now = self._engine.running()
        before = undone(self._wanted, self._before, now)
        self._swap.undo()
        steps = [step for step in plan(now, before) if step.kind == "watcher"]
        for step in steps:
            watcher = self._engine.find_watcher(step.name)
            if watcher is not None and step.name.lower() in before.watchers:
                watcher.configure(before.watchers[step.name.lower()])
        self._engine.orders.sockets_changed()
        back = Transaction(self._engine, before, before, (), self._swap)
        again = [step for step in steps if step.name.lower() in self._replaced]
        for part in (
            partial(back._replace, [step for step in again if step.action is not Action.LIVE]),
            partial(back._remove, [step for step in steps if step.action is Action.STOP]),
            self._stop_started,
            partial(self._bring_back, before),
        ):
            try:
                await part()
            except CircusError as error:
                self._engine.refuse_when_stopping()
                logger.error("Cannot go back wholly: %s", error)

    async def _stop_started(self) -> None:
        """Those that were there and did not run."""
        orders, started = self._engine.orders, []
        for step in self._chosen(Action.START):
            watcher = self._engine.find_watcher(step.name)
            if watcher is not None and step.name.lower() not in self._wanted_before:
                started.append(watcher)
        await orders.stop(started)
        orders.autostart(one for one in started if one.name.lower() in self._idle_before)

    async def _bring_back(self, before: Config) -> None:
        """The watchers that were removed; those that ran are started."""
        engine, orders = self._engine, self._engine.orders
        gone = [name for name in before.watchers if engine.find_watcher(name) is None]
        returned = {name: engine.take_in(before.watchers[name]) for name in gone}
        orders.autostart(one for name, one in returned.items() if name in self._idle_before)
        ran = [one for name, one in returned.items() if name in self._wanted_before]
        await _all(map(_unless_it_waits, orders.start_alone(ran)))


async def _unless_it_waits(start: asyncio.Future[Any]) -> None:
    """A start that waits for another watcher is no failure."""
    try:
        await start
    except NotYet as error:
        logger.info("%s", error)


async def _all(work: Iterable[Any]) -> None:
    """Wait until all are done; then the first failure is raised."""
    for outcome in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
