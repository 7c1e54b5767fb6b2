"""The parts that a plan is made of. circusctl loads this too, so it stays small."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

NEW = "it is new"


class Action(StrEnum):
    """What a step does."""

    NOTHING = "nothing"
    LIVE = "live"
    """Counts at once, no worker is replaced."""
    ROLLING = "rolling"
    """New workers take the places of the old ones; old ones go when new ones stand."""
    RESTART = "restart"
    START = "start"
    ADD = "add"
    """Taken in and not started."""
    STOP = "stop"


class Step(NamedTuple):
    """One watcher, worker, socket, plugin or the daemon itself, and what is done about it."""

    kind: str
    name: str
    action: Action
    reasons: tuple[str, ...]
    """The keys, as in a file, whose values differ, or words; never a value, which may be a
    secret."""

    def told(self) -> dict[str, object]:
        """As an answer has it."""
        action, why = str(self.action), list(self.reasons)
        return {"kind": self.kind, "name": self.name, "action": action, "why": why}
