"""What programs, hooks above all, ask of an arbiter, from any thread."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from circus.exc import ConflictError
from circus.threads import from_any_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from circus.changes import Accepted
    from circus.engine import Engine
    from circus.threads import Door
    from circus.watcher import Result, Watcher

    Chosen = Callable[[], Iterable[Watcher]]


class ArbiterSurface:
    """Mixed into Arbiter."""

    door: Door
    prereload_fn: Callable[[Any], object] | None

    @property
    def engine(self) -> Engine:
        """To be said by the arbiter."""
        raise NotImplementedError

    @property
    def watchers(self) -> list[Watcher]:
        """To be said by the arbiter."""
        raise NotImplementedError

    def iter_watchers(self, reverse: bool = True) -> list[Watcher]:  # noqa: FBT001, FBT002
        """By priority; `reverse`: the biggest first."""
        return sorted(self.watchers, key=lambda one: one.config.priority, reverse=reverse)

    def statuses(self) -> dict[str, str]:
        """The word for each watcher, by its name as written."""
        return {watcher.name: watcher.status() for watcher in self.watchers}

    def numprocesses(self) -> int:
        """Workers that run, of all watchers."""
        return sum(len(watcher) for watcher in self.watchers)

    def numwatchers(self) -> int:
        """How many watchers there are."""
        return len(self.watchers)

    # -- actions ------------------------------------------------

    @from_any_thread
    def start_watcher(self, watcher: Watcher) -> Result:
        """Start one with all that it requires."""
        return self.engine.orders.start([watcher])

    @from_any_thread
    def start_watchers(self, watcher_iter_func: Chosen | None = None) -> Result:
        """Start all that have `autostart`, in the order they ask for; or those it gives."""
        return self.engine.orders.start(watcher_iter_func and watcher_iter_func())

    @from_any_thread
    def stop_watchers(self, watcher_iter_func: Chosen | None = None) -> Result:
        """Stop all, or those it gives; what others need goes last."""
        return self.engine.orders.stop(watcher_iter_func and list(watcher_iter_func()))

    @from_any_thread
    def restart(
        self,
        inside_circusd: bool = False,  # noqa: FBT001, FBT002
        watcher_iter_func: Chosen | None = None,
    ) -> Result:
        """Stop, then start all that run, or those it gives.

        `inside_circusd`: the arbiter too, as `circusctl restart`, which takes a file.
        """
        engine = self.engine
        if inside_circusd:
            return engine.keep(_through(engine.restart_daemon()))
        if watcher_iter_func is not None:
            return engine.orders.restart(list(watcher_iter_func()))
        return engine.orders.restart(
            [watcher for watcher in engine.watchers if engine.orders.is_wanted(watcher)]
        )

    def reload(self, graceful: bool = True, sequential: bool = False) -> Result:  # noqa: FBT001, FBT002
        """Call `prereload_fn`, then replace the workers of all watchers that run."""
        if self.prereload_fn is not None:
            self.prereload_fn(self)
        return self.door.act(
            lambda: self.engine.orders.reload(graceful=graceful, sequential=sequential)
        )

    @from_any_thread
    def reload_from_config(
        self,
        config_file: str | None = None,
        inside_circusd: bool = False,  # noqa: FBT001, FBT002
    ) -> Result:
        """Read the file again and do what it takes; fails when it cannot be used.

        `config_file` has to be the one that it came from; `inside_circusd` makes no difference.
        """
        engine = self.engine
        if config_file is not None and not _same(config_file, engine.config.path):
            raise ConflictError(f"cannot reload from {config_file}: it is not the file in use")
        return engine.keep(_through(engine.reload_config()))

    @from_any_thread
    def manage_watchers(self) -> Result:
        """Nobody has to ask for it; the outcome is there when nothing is on its way any more."""
        watchers = self.engine.watchers

        async def wait() -> dict[str, Any]:
            for watcher in watchers:
                await watcher.settled()
            return {}

        return self.engine.keep(wait())

    reap_processes = manage_watchers


async def _through(accepted: Accepted) -> dict[str, Any]:
    return await (await accepted)


def _same(path: str, other: str | None) -> bool:
    return other is not None and os.path.abspath(path) == os.path.abspath(other)
