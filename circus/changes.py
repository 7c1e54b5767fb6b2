"""Takes changes of the configuration in: checked as a whole first, then applied."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
from collections import deque
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from circus.aside import aside
from circus.config.load import load
from circus.config.mapping import changed
from circus.config.merge import carried_over, target
from circus.config.plan import STAYS_STOPPED, changed_watcher, plan
from circus.config.plugins import PREFIX
from circus.config.rules import across, sockets_rules, watcher_rules
from circus.config.schema import OnChange, Problem, differing
from circus.config.stats import told_anew
from circus.core.graph import find_cycle
from circus.exc import ArgumentError, CircusError, ConfigError
from circus.hooks import survey_hooks
from circus.host.survey import survey, survey_access
from circus.startup import needs
from circus.steps import Action, Step
from circus.stream.conf import survey_streams
from circus.transaction import Transaction
from circus.trial import survey_plugins

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence

    from circus.config.load import Loaded
    from circus.config.model import CircusConfig, Config, WatcherConfig
    from circus.engine import Engine
    from circus.threads import Outcome
    from circus.watcher import Result, Watcher

    Accepted = Outcome[Result]
    Where = Callable[[str, str], str]
    Source = Callable[[], Awaitable[tuple[Config, Where]]]
    """Gives what a file asks for, and where in it."""

HISTORY = 10
"""Configurations that a rollback can go back to."""
OPERATORS = frozenset({"operate_users", "operate_groups"})
RUNS_SOMETHING = (Action.ROLLING, Action.RESTART, Action.START, Action.ADD)

logger = logging.getLogger(__name__)


class Changes:
    """The one way in which what was asked for changes while circusd runs.

    Each change answers with an `Accepted`: it fails when the change is refused, and nothing has
    been touched then; or it resolves, with a future of what the change came to. What begins with
    `foresee` tells the steps of a change, and touches nothing.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By watcher, as long as somebody has or awaits a turn."""
        self._whole = asyncio.Lock()
        """Two files, of which the first is still being taken in: in their order."""
        self._history: deque[Config] = deque(maxlen=HISTORY)

    # -- one watcher ------------------------------------------------

    def change(self, name: str, options: Mapping[str, object]) -> Accepted:
        """Change options of a watcher. Raises NotFound, ArgumentError for what is wrong at once."""
        self._wanted(name, options)
        return self._engine.keep(self._change(name, options))

    async def foresee_change(self, name: str, options: Mapping[str, object]) -> list[Step]:
        """The step that `change` would take. Raises as it does, and what it would fail with."""
        watcher, wanted = self._wanted(name, options)
        step = _step(watcher, wanted)
        if step is None:
            return []
        await self._refuse_what_cannot_run([step], [wanted], _nowhere, foreseen=True)
        return [step]

    async def _change(self, name: str, options: Mapping[str, object]) -> Result:
        # two changes of one watcher, of which the first is still being looked into: in their order
        async with self._turns.setdefault(name.lower(), asyncio.Lock()):
            watcher, wanted = self._wanted(name, options)
            step = _step(watcher, wanted)
            anew = [key.removeprefix("hooks.") for key in options if key.startswith("hooks.")]
            if step is not None or anew:
                steps = [step] if step is not None else []
                await self._refuse_what_cannot_run(steps, [wanted], _nowhere, anew=anew)
                # it may have been resized or removed meanwhile, or everything be ending
                watcher, wanted = self._wanted(name, options)
                step = _step(watcher, wanted)
            result = self._apply_to(watcher, wanted, step)
        for option in options:
            self._engine.events.tell(watcher.name, "updated", option=option)
        if not OPERATORS.isdisjoint(options):
            self._engine.people_changed()
        return result

    def _apply_to(self, watcher: Watcher, wanted: WatcherConfig, step: Step | None) -> Result:
        before = watcher.config
        watcher.configure(wanted)
        if step is not None and step.action is Action.START:
            return self._engine.orders.start([watcher])
        replaces = step is not None and step.action in (Action.ROLLING, Action.RESTART)

        async def see_through() -> dict[str, Any]:
            if not (replaces and watcher.pool.up):
                await watcher.settled()
                return {}
            try:
                return await watcher.replace()
            except CircusError:
                # the old workers still run: so does what was asked of them
                watcher.configure(carried_over(wanted, watcher.config, before))
                raise

        return self._engine.keep(see_through())

    def _wanted(self, name: str, options: Mapping[str, object]) -> tuple[Watcher, WatcherConfig]:
        self._engine.refuse_when_stopping()
        watcher = self._engine.get_watcher(name)
        wanted = changed(watcher.config, options)
        if needs(wanted) != needs(watcher.config):
            self.refuse_loops(wanted)
        self.refuse_unknown_sockets(wanted)
        return watcher, wanted

    def refuse_loops(self, wanted: WatcherConfig) -> None:
        """Raises ArgumentError when with this configuration watchers would wait for each other."""
        if not needs(wanted):
            return
        edges = {one.name.lower(): needs(one.config) for one in self._engine.watchers}
        loop = find_cycle({**edges, wanted.name.lower(): needs(wanted)})
        if loop is not None:
            raise ArgumentError(f"a dependency loop: {' -> '.join(loop)}")

    def refuse_unknown_sockets(self, wanted: WatcherConfig) -> None:
        """Raises ArgumentError when it asks for a socket that there is not."""
        wrong = [f"{key}: {say}" for key, say in sockets_rules(wanted, self._engine.sockets)]
        if wrong:
            raise ArgumentError("; ".join(wrong))

    def add(self, config: WatcherConfig, *, start: bool) -> Accepted:
        """Take in a watcher once its hooks are found. Raises AlreadyExist, ArgumentError."""
        self._engine.refuse_new(config)

        async def add() -> Result:
            await self._look([], [config], _nowhere, opened={config.name} if start else ())
            return self._engine.add(config, start=start)

        return self._engine.keep(add())

    # -- everything ------------------------------------------------

    def reload(self, *, reset: bool = False) -> Accepted:
        """Read the file again and do what it takes; `reset` forgets what was changed since."""
        return self._engine.keep(self._follow(self._read_file, reset=reset))

    async def foresee_reload(self, *, reset: bool = False) -> list[Step]:
        """The steps that `reload` would take. Raises ConfigError for what is wrong."""
        return await self._foresee(self._read_file, reset=reset)

    def rollback(self) -> Accepted:
        """Go back to what the file asked for before it was last read."""
        return self._engine.keep(self._follow(self._previous, back=True))

    async def foresee_rollback(self) -> list[Step]:
        """The steps that `rollback` would take."""
        return await self._foresee(self._previous)

    def restart(self) -> Accepted:
        """Stop everything, then start what the file asks for by now."""

        async def restart() -> Result:
            await self._read_file()
            return self._engine.end(again=True)

        return self._engine.keep(restart())

    async def _read_file(self) -> tuple[Config, Where]:
        path = self._engine.config.path
        if path is None:
            raise CircusError("cannot read the configuration again: it did not come from a file")
        loaded: Loaded = await aside(self._engine.loop, lambda: load(path, dict(os.environ)))
        self._engine.refuse_when_stopping()
        return self._engine.with_helpers(loaded.config), loaded.where

    async def _previous(self) -> tuple[Config, Where]:
        if not self._history:
            raise CircusError("cannot go back: the configuration has not been changed")
        return self._history[-1], _nowhere

    async def _foresee(self, source: Source, *, reset: bool = False) -> list[Step]:
        asked, where = await source()
        wanted, steps = self._difference(asked, where, reset=reset)
        await self._refuse_unknown_people(steps, wanted, where)
        configs = list(wanted.watchers.values())
        await self._refuse_what_cannot_run(steps, configs, where, foreseen=True)
        await self._refuse_unknown_plugins(steps, wanted, where)
        return steps

    async def _follow(self, source: Source, *, reset: bool = False, back: bool = False) -> Result:
        # until it is done, or undone: two at a time could not both go back
        await self._whole.acquire()
        try:
            transaction, steps = await self._prepare(source, reset=reset)
        except BaseException:
            self._whole.release()
            raise
        declared = self._engine.config
        self._engine.declare(transaction.declared)
        transaction.begin()
        _log(steps)
        return self._engine.keep(self._see_through(transaction, declared, steps, back=back))

    async def _prepare(self, source: Source, *, reset: bool) -> tuple[Transaction, list[Step]]:
        """All that can be refused; nothing is touched."""
        asked, where = await source()
        wanted, steps = self._difference(asked, where, reset=reset)
        await self._refuse_unknown_people(steps, wanted, where)
        await self._refuse_what_cannot_run(steps, list(wanted.watchers.values()), where)
        await self._refuse_unknown_plugins(steps, wanted, where)
        changes = _sockets_that_change(steps, wanted)
        swap = await aside(self._engine.loop, lambda: self._engine.sockets.prepare(changes))
        try:
            self._engine.refuse_when_stopping()
            # a watcher may have been changed meanwhile
            wanted, steps = self._difference(asked, where, reset=reset)
        except CircusError:
            swap.finish()
            raise
        circus = _as_far_as_live(self._engine.config.circus, asked.circus)
        declared = dataclasses.replace(asked, circus=circus)
        return Transaction(self._engine, declared, wanted, steps, swap), steps

    async def _see_through(
        self, transaction: Transaction, declared: Config, steps: Sequence[Step], *, back: bool
    ) -> dict[str, Any]:
        try:
            await transaction.see_through()
        except CircusError:
            self._engine.declare(declared)
            raise
        finally:
            self._whole.release()
        if back:
            self._history.pop()
        elif steps:
            self._history.append(declared)
        return {"steps": [step.told() for step in steps]}

    def _difference(self, asked: Config, where: Where, *, reset: bool) -> tuple[Config, list[Step]]:
        engine = self._engine
        running = engine.running()
        wanted = told_anew(asked if reset else target(engine.config, asked, running))
        if wanted.watchers != asked.watchers:
            _refuse_what_does_not_fit(wanted, asked, where)
        stopped = [one for one in engine.watchers if not engine.orders.is_wanted(one)]
        idle = {one.name.lower() for one in stopped if engine.orders.is_idle(one)}
        by_hand = {one.name.lower() for one in stopped} - idle
        starts = dict(_started_again(wanted, idle, by_hand if reset else ()))
        return wanted, list(plan(running, wanted, stopped=by_hand | idle, starts=starts))

    async def _refuse_unknown_people(
        self, steps: Sequence[Step], wanted: Config, where: Where
    ) -> None:
        """Raises ConfigError when what changes lets in users or groups that there are not."""
        names = {step.name for step in steps}
        chosen = [one for one in wanted.watchers.values() if one.name in names]
        problems = await aside(
            self._engine.loop, lambda: survey_access(wanted.circus, chosen, where)
        )
        if problems:
            raise ConfigError(problems)

    async def _refuse_unknown_plugins(
        self, steps: Sequence[Step], wanted: Config, where: Where
    ) -> None:
        """Raises ConfigError when the class of a plugin that is to be run cannot be had."""
        names = {step.name for step in steps if step.action in RUNS_SOMETHING}
        chosen = [one for one in wanted.plugins.values() if f"{PREFIX}{one.name}" in names]
        if not chosen:
            return
        problems = await aside(self._engine.loop, lambda: survey_plugins(wanted, chosen, where))
        if problems:
            raise ConfigError(problems)

    async def _refuse_what_cannot_run(
        self,
        steps: Sequence[Step],
        configs: Sequence[WatcherConfig],
        where: Where,
        *,
        foreseen: bool = False,
        anew: Collection[str] = (),
    ) -> None:
        """Raises ConfigError, before anything is touched. Hooks in `anew` are imported again.

        When it is only `foreseen`, no file is made.
        """
        names = {step.name for step in steps if step.action in RUNS_SOMETHING}
        changed = {step.name for step in steps}
        chosen = [config for config in configs if config.name in names]
        altered = [one for one in configs if one.name in changed or (anew and one.hooks)]
        if chosen or any(one.hooks or one.stdout_stream or one.stderr_stream for one in altered):
            opened = () if foreseen else {step.name for step in steps if _writes(step)}
            await self._look(chosen, altered, where, anew, opened=opened)

    async def _look(
        self,
        programs: Sequence[WatcherConfig],
        altered: Sequence[WatcherConfig],
        where: Where,
        anew: Collection[str] = (),
        *,
        opened: Collection[str] = (),
    ) -> None:
        path = self._engine.config.path

        def look() -> list[Problem]:
            problems = survey(programs, where) + survey_streams(altered, where, path, opened=opened)
            return problems + survey_hooks(altered, where, path, anew=anew)

        problems = await aside(self._engine.loop, look)
        if problems:
            raise ConfigError(problems)


def _step(watcher: Watcher, wanted: WatcherConfig) -> Step | None:
    return changed_watcher(watcher.config, wanted, stopped=not watcher.pool.up)


def _writes(step: Step) -> bool:
    """Whether its watcher runs after it, so that there are files to be written to."""
    idle = step.action is Action.ADD or STAYS_STOPPED in step.reasons
    return not idle and (step.action is Action.LIVE or step.action in RUNS_SOMETHING)


def _nowhere(_section: str, _key: str) -> str:
    """Where something is that no file says."""
    return ""


def _sockets_that_change(steps: Sequence[Step], wanted: Config) -> dict[str, Any]:
    names = [step.name.lower() for step in steps if step.kind == "socket"]
    return {name: wanted.sockets.get(name) for name in names}


def _started_again(
    wanted: Config, idle: Collection[str], by_hand: Collection[str]
) -> Iterator[tuple[str, Sequence[str]]]:
    """What does not run and would if circusd were started now, and why that is."""
    for name, config in wanted.watchers.items():
        if config.autostart and name in by_hand:
            yield name, ("it was stopped by hand",)
        elif config.autostart and name in idle and not config.on_demand:
            yield name, ()


def _refuse_what_does_not_fit(wanted: Config, asked: Config, where: Where) -> None:
    """Raises ConfigError: what was changed at run time may not go with what the file says now."""
    problems = across(wanted, where)
    for name, config in wanted.watchers.items():
        if config is not asked.watchers.get(name):
            section = f"watcher:{config.name}"
            problems += [Problem(where(section, k), say) for k, say in watcher_rules(config)]
    if problems:
        raise ConfigError(problems)


def _as_far_as_live(before: CircusConfig, asked: CircusConfig) -> CircusConfig:
    """What the file says, but for what only another start of circusd can bring about."""
    held = {}
    for key in differing(before, asked):
        field = next(one for one in dataclasses.fields(asked) if one.name == key)
        if field.metadata["on_change"] >= OnChange.RESTART:
            held[key] = getattr(before, key)
    return dataclasses.replace(asked, **held)


def _log(steps: Sequence[Step]) -> None:
    for step in steps:
        what = f"{step.kind} {step.name}: {', '.join(step.reasons)}"
        if step.kind == "circus" and step.action is Action.RESTART:
            logger.warning("Configuration: %s; counts when circusd is started again", what)
        else:
            logger.info("Configuration: %s of %s", step.action, what)
