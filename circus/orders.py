"""What is asked of several watchers at once: started and stopped in the order they need."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from circus.demand import Demand
from circus.startup import Startup, stop_layers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from circus.engine import Engine
    from circus.watcher import Result, Watcher


class Orders:
    """Everything here belongs to the loop's thread, and states a wish at once.

    What may start something raises ConflictError once everything is being stopped.
    `find_leaving` knows the watchers that were removed and still run, by lower-case name.
    """

    def __init__(self, engine: Engine, find_leaving: Callable[[str], Watcher | None]) -> None:
        self._engine = engine
        self._startup = Startup(engine.loop, engine.find_watcher, find_leaving)
        self._demand = Demand(engine.loop, engine.sockets, self.start_one)
        self.pace(engine.config.circus.warmup_delay)

    # -- what is under way ------------------------------------------------

    def is_wanted(self, watcher: Watcher) -> bool:
        """Whether it runs or is about to."""
        return watcher.pool.up or self._startup.holds(watcher)

    def is_idle(self, watcher: Watcher) -> bool:
        """Whether it is not to run before somebody connects."""
        return not watcher.pool.up and self._demand.holds(watcher)

    def blocked_by(self, watcher: Watcher) -> str:
        """The watcher that this one waits for before it starts, or nothing."""
        return self._startup.blocker(watcher)

    def waits_for(self, watcher: Watcher) -> str:
        """What has to happen before it starts, in words, or nothing."""
        if self.is_idle(watcher):
            return "a connection to " + " or ".join(self._demand.names(watcher))
        return self.blocked_by(watcher)

    def with_required(self, chosen: list[Watcher]) -> list[Watcher]:
        """These, then what does not run and they require."""
        wanted = {watcher.name.lower() for watcher in chosen}
        found = list(chosen)
        for watcher in found:
            for name in map(str.lower, watcher.config.requires):
                other = self._engine.find_watcher(name)
                if other is not None and name not in wanted and not other.pool.up:
                    wanted.add(name)
                    found.append(other)
        return found

    # -- actions ------------------------------------------------

    def start(self, watchers: Iterable[Watcher] | None = None) -> Result:
        """Start these with all that they require, or all with autostart, as they ask for it."""
        self._engine.refuse_when_stopping()
        if watchers is None:
            return self.all_of(self.autostart(self._engine.watchers))
        chosen = list(watchers)
        return self._of_one(chosen, self._start(chosen))

    def start_one(self, watcher: Watcher) -> asyncio.Future[dict[str, Any]]:
        """Start it with all that it requires; a future of what its start comes to."""
        return self._start([watcher])[0]

    def autostart(self, watchers: Iterable[Watcher]) -> list[asyncio.Future[dict[str, Any]]]:
        """Start those of these that have `autostart`: now, or when somebody connects."""
        self._engine.refuse_when_stopping()
        chosen = [watcher for watcher in watchers if watcher.config.autostart]
        for watcher in chosen:
            if watcher.config.on_demand:
                self._demand.add(watcher)
        return self.start_alone(one for one in chosen if not one.config.on_demand)

    def start_alone(self, watchers: Iterable[Watcher]) -> list[asyncio.Future[dict[str, Any]]]:
        """Start these, and nothing that they require: they wait for it."""
        self._engine.refuse_when_stopping()
        return self._startup.add(watchers)

    def stop(self, watchers: Iterable[Watcher] | None = None) -> Result:
        """Stop these, or all; what others need goes last."""
        chosen = list(watchers) if watchers is not None else self._engine.watchers
        for watcher in chosen:
            self.forget(watcher)
        if watchers is not None and len(chosen) == 1:
            return chosen[0].stop()
        return self.stop_layered(chosen)

    def restart(self, watchers: Iterable[Watcher]) -> Result:
        """Stop, then start these."""
        self._engine.refuse_when_stopping()
        chosen = list(watchers)
        futures = [one.restart() if one.pool.up else self.start_one(one) for one in chosen]
        return self._of_one(chosen, futures)

    def reload(
        self,
        watchers: Iterable[Watcher] | None = None,
        *,
        graceful: bool = True,
        sequential: bool = False,
    ) -> Result:
        """Replace the workers of these; without a name, of those that run."""
        self._engine.refuse_when_stopping()
        if watchers is None:
            running = [watcher for watcher in self._engine.watchers if watcher.pool.up]
            return self.all_of(
                [one.reload(graceful=graceful, sequential=sequential) for one in running]
            )
        chosen = list(watchers)
        futures = [
            one.reload(graceful=graceful, sequential=sequential)
            if one.pool.up
            else self.start_one(one)
            for one in chosen
        ]
        return self._of_one(chosen, futures)

    def hang_up(self) -> Result:
        """SIGHUP: what the file says by now, then new workers for all that still has old ones.

        With a file that cannot be used nothing is done.
        """
        self._engine.refuse_when_stopping()

        async def follow() -> dict[str, Any]:
            fresh: set[str] = set()
            if self._engine.config.path is not None:
                steps = (await (await self._engine.changes.reload())).get("steps", [])
                moved = [one for one in steps if one["kind"] == "watcher"]
                fresh = {one["name"] for one in moved if one["action"] != "live"}
            running = [
                one for one in self._engine.watchers if one.pool.up and one.name not in fresh
            ]
            return await self.all_of([watcher.reload() for watcher in running])

        return self._engine.keep(follow())

    def stop_layered(self, chosen: list[Watcher]) -> Result:
        """Layer by layer, the first one at once; what is started meanwhile stays up."""
        first, *later = stop_layers(chosen) or [[]]
        starts = {watcher: watcher.starts for watcher in chosen}
        stops = [watcher.stop() for watcher in first]

        async def stop() -> dict[str, Any]:
            killed = await _killed(stops)
            for layer in later:
                left = [watcher for watcher in layer if watcher.starts == starts[watcher]]
                killed += await _killed([watcher.stop() for watcher in left])
            return {"killed": killed} if killed else {}

        return self._engine.keep(stop())

    def all_of(self, futures: Iterable[Awaitable[dict[str, Any]]]) -> Result:
        """All of these; the first that fails makes it fail, once all are done."""

        async def wait() -> dict[str, Any]:
            for outcome in await asyncio.gather(*futures, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome
            return {}

        return self._engine.keep(wait())

    # -- what happened ------------------------------------------------

    def status_changed(self, watcher: Watcher) -> None:
        """A watcher tells that it is not what it was."""
        self._engine.tell_onlookers()
        if self._engine.stopping:
            return
        self._startup.changed(watcher)
        if watcher.config.on_demand:
            # one that was stopped by hand stays stopped, whoever connects
            if watcher.status() == "stopped" and watcher.pool.up:
                self._demand.add(watcher)
            elif watcher.pool.up:
                self._demand.remove(watcher)

    def sockets_changed(self) -> None:
        """Connections are to be waited for at other sockets, or at those of other names."""
        self._demand.look_again()

    def forget(self, watcher: Watcher) -> None:
        """It is not to be started any more, by whatever it waits for."""
        self._startup.remove(watcher)
        self._demand.remove(watcher)

    def gone(self, watcher: Watcher) -> None:
        """It was removed, and runs no more."""
        self._startup.changed(watcher)

    def pace(self, warmup_delay: float) -> None:
        """Seconds between the starts of two watchers, from now on."""
        self._startup.warmup_delay = warmup_delay

    def close(self) -> None:
        """Start nothing more."""
        self._startup.close()
        self._demand.close()

    # -- how ------------------------------------------------

    def _start(self, chosen: list[Watcher]) -> list[asyncio.Future[dict[str, Any]]]:
        """A future for each of these, of what its start comes to; it pulls in what it requires."""
        return self._startup.add(self.with_required(chosen))[: len(chosen)]

    def _of_one(
        self, chosen: list[Watcher], futures: Sequence[Awaitable[dict[str, Any]]]
    ) -> Result:
        """What one watcher's action came to, as `info`; of several, that they are done."""
        if len(chosen) != 1:
            return self.all_of(futures)

        async def wrap() -> dict[str, Any]:
            return {"info": await futures[0]}

        return self._engine.keep(wrap())


async def _killed(stops: list[Result]) -> list[str]:
    """What had to be killed, once all of these stops are done."""
    return [one for result in await asyncio.gather(*stops) for one in result.get("killed", [])]
