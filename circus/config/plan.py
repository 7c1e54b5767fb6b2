"""Running and wanted `Config` to an ordered list of steps, each with its cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from circus.config.model import Config
from circus.config.schema import OnChange, cost_between, differing


class Action(StrEnum):
    """What a step does."""

    LIVE = "live"
    ROLLING = "rolling"
    RESTART = "restart"
    ADD = "add"
    REMOVE = "remove"


ACTIONS = {
    OnChange.NOTHING: Action.LIVE,
    OnChange.RECONCILE: Action.LIVE,
    OnChange.REPLACE: Action.ROLLING,
    OnChange.RESTART: Action.RESTART,
}
KINDS = ("socket", "plugin", "watcher")
"""In the order in which they are built; they are taken down the other way round."""


@dataclass(frozen=True, slots=True)
class Step:
    """One watcher, socket, plugin or the daemon itself, and what is to be done about it."""

    kind: str
    name: str
    action: Action
    reasons: tuple[str, ...]
    """The keys, as in a file, whose values differ; never a value, which may be a secret."""


def plan(running: Config, wanted: Config) -> tuple[Step, ...]:
    """What it takes to go from one to the other; removals first. Nothing for what is the same."""
    steps: list[Step] = []
    for kind in reversed(KINDS):
        steps += _removed(kind, *_both(kind, running, wanted))
    steps += _changed("circus", "circus", running.circus, wanted.circus)
    for kind in KINDS:
        steps += _built(kind, *_both(kind, running, wanted))
    return tuple(steps)


def _both(
    kind: str, running: Config, wanted: Config
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    return getattr(running, f"{kind}s"), getattr(wanted, f"{kind}s")


def _removed(kind: str, running: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Step]:
    for name, one in running.items():
        if name not in wanted:
            yield Step(kind, one.name, Action.REMOVE, ("it is not in the file any more",))


def _built(kind: str, running: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Step]:
    for name, one in wanted.items():
        if name in running:
            yield from _changed(kind, one.name, running[name], one)
        else:
            yield Step(kind, one.name, Action.ADD, ("it is new",))


def _changed(kind: str, name: str, running: Any, wanted: Any) -> Iterator[Step]:
    if running is not wanted and running != wanted:
        yield Step(kind, name, ACTIONS[cost_between(running, wanted)], differing(running, wanted))
