"""Running and wanted `Config` to an ordered list of steps, each with its cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from circus.config.model import Config
from circus.config.schema import OnChange, cost_between


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


@dataclass(frozen=True, slots=True)
class Step:
    """One watcher, socket, plugin or the daemon itself, and what is to be done about it."""

    kind: str
    name: str
    action: Action
    reasons: tuple[str, ...]
    """The options that differ."""


def plan(running: Config, wanted: Config) -> tuple[Step, ...]:
    """What it takes to go from one to the other; removals first. Nothing for what is the same."""
    steps: list[Step] = []
    steps += _one("circus", "circus", running.circus, wanted.circus)
    for kind in ("plugin", "socket", "watcher"):
        steps += _many(kind, getattr(running, f"{kind}s"), getattr(wanted, f"{kind}s"))
    return tuple(steps)


def _many(kind: str, running: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[Step]:
    steps = [
        Step(kind, one.name, Action.REMOVE, ("it is not in the file any more",))
        for name, one in running.items()
        if name not in wanted
    ]
    for name, one in wanted.items():
        if name not in running:
            steps.append(Step(kind, one.name, Action.ADD, ("it is new",)))
        else:
            steps += _one(kind, one.name, running[name], one)
    return steps


def _one(kind: str, name: str, running: Any, wanted: Any) -> list[Step]:
    if running is wanted or running == wanted:
        return []
    differing = tuple(
        one.name
        for one in dataclasses.fields(wanted)
        if getattr(running, one.name) != getattr(wanted, one.name)
    )
    return [Step(kind, name, ACTIONS[cost_between(running, wanted)], differing)]
