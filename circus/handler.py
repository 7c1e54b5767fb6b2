"""`get_arbiter`: everything that a program needs to run watchers, from values."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from circus.arbiter import Arbiter, ThreadedArbiter
from circus.exc import ConfigError
from circus.watcher import Watcher

if TYPE_CHECKING:
    Watchers = str | Mapping[str, object] | Iterable[Watcher | Mapping[str, object]]


class ArbiterHandler:
    """Makes arbiters; subclasses may say which class for."""

    def __call__(
        self,
        watchers: Watchers,
        controller: str | int | None = None,
        pubsub_endpoint: str | None = None,
        *,
        env: object = None,
        name: object = None,
        background: bool = False,
        **options: Any,
    ) -> Arbiter:
        """An arbiter for a list of mappings, one mapping, or a command and how many of it to run.

        A watcher without a name is named after its program. `controller` is the endpoint; `env`
        and `name` are accepted and unused; `background`: `start` returns, and a thread runs it.
        Further options are those of `Arbiter`. Raises ConfigError.
        """
        if isinstance(watchers, str):
            watchers = [{"cmd": watchers, "numprocesses": 1 if controller is None else controller}]
            controller = None
        elif isinstance(watchers, Mapping):
            watchers = [watchers]
        if controller is not None and not isinstance(controller, str):
            raise ConfigError([f"controller: {controller!r} is not an endpoint"])
        made = [one if isinstance(one, Watcher) else _named(one) for one in watchers]
        made_by = self._get_arbiter_klass(background=background)
        return made_by(made, controller, pubsub_endpoint, **options)

    def _get_arbiter_klass(self, background: bool) -> type[Arbiter]:  # noqa: FBT001
        return ThreadedArbiter if background else Arbiter


def _named(given: Mapping[str, object]) -> Watcher:
    """Of a mapping that needs no name in it."""
    cmd = str(given.get("cmd", ""))
    program = os.path.basename(cmd.split(None, 1)[0]) if cmd.strip() else ""
    return Watcher.load_from_config({**given, "name": given.get("name") or program})


get_arbiter = ArbiterHandler()
