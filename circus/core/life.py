"""A watcher's way up and down: which of its hooks is asked when, and what the answer does.

What single workers do on that way is the pool's affair. Rules of this file:
1. One hook of these is asked at a time, and nothing goes on before its answer.
2. A stop beats a start: the answer to a hook of a start that nobody wants any more starts nothing.
3. Who starts a watcher that is going down, and has such hooks, sees it go down wholly first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from circus.core.slot import back_off

if TYPE_CHECKING:
    from circus.config.model import WatcherConfig


class Stage(StrEnum):
    """Where a watcher is; four of them have the name of the hook that is being asked."""

    DOWN = "down"
    BEFORE_START = "before_start"
    RISING = "rising"
    AFTER_START = "after_start"
    UP = "up"
    BEFORE_STOP = "before_stop"
    SINKING = "sinking"
    AFTER_STOP = "after_stop"


AFTER_ANSWER = {
    Stage.BEFORE_START: Stage.RISING,
    Stage.AFTER_START: Stage.UP,
    Stage.BEFORE_STOP: Stage.SINKING,
    Stage.AFTER_STOP: Stage.DOWN,
}
"""Where it goes on after a hook, or at once when it has no such hook."""
GOING_DOWN = (Stage.BEFORE_STOP, Stage.SINKING, Stage.AFTER_STOP)
FILLED = (Stage.RISING, Stage.AFTER_START, Stage.UP, Stage.BEFORE_STOP)
"""Stages in which there are to be workers."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Effect: run this hook of the watcher; answer with Answered."""

    hook: str


@dataclass(frozen=True, slots=True)
class Answered:
    """Event: the hook that was asked has answered.

    `refusal` says why it lets nothing go on, `later` that it wants to be asked again. `luck` in
    [0, 1) draws the jitter of the back-off.
    """

    refusal: str = ""
    later: bool = False
    luck: float = 0.0


class Life:
    """Where one watcher is on its way, and where it is wanted. Times are monotonic seconds."""

    def __init__(self) -> None:
        self.stage = Stage.DOWN
        self.wanted = False
        self.again = False
        """It is to be started once it is down."""
        self.not_before: float | None = None
        """When it is started again after a hook said "later"."""
        self.refusal = ""
        """Why a hook did not let it be up, or nothing."""
        self._put_off = 0
        """How often in a row."""

    # -- what is wanted ------------------------------------------------

    def start(self, config: WatcherConfig) -> None:
        """Up; when it waits because of a "later", now."""
        self.refusal = ""
        self.not_before = None
        if self.stage in GOING_DOWN and any(stage in config.hooks for stage in AFTER_ANSWER):
            self.again = True
        else:
            self.wanted, self.again = True, False

    def stop(self) -> None:
        """Down."""
        self.wanted = self.again = False
        self.not_before = None
        self._put_off = 0

    def restart(self) -> None:
        """Down, then up."""
        self.stop()
        self.refusal = ""
        self.again = True

    def refuse(self, refusal: str) -> None:
        """A hook wants it down."""
        self.stop()
        self.refusal = refusal

    # -- what happened ------------------------------------------------

    def answered(self, event: Answered, config: WatcherConfig, now: float) -> None:
        """Go on after the hook that was asked, as it says."""
        asked = self.stage
        if asked not in AFTER_ANSWER:
            return
        self.stage = AFTER_ANSWER[asked]
        if asked is Stage.BEFORE_START and (event.refusal or not self.wanted):
            self.stage = Stage.DOWN
        if event.refusal and self.wanted and asked not in GOING_DOWN:
            put_off = self._put_off + 1
            self.refuse(event.refusal)
            if event.later:
                self.again, self._put_off = True, put_off
                self.not_before = now + back_off(put_off + 1, config, event.luck)
        elif asked not in GOING_DOWN:
            self.refusal = ""  # what was said before counts no more
            if asked is Stage.AFTER_START:
                self._put_off = 0

    def advance(
        self, config: WatcherConfig, now: float, *, stands: bool, empty: bool
    ) -> Ask | None:
        """Take the next step if there is one: call it until `stage` stays as it is.

        `stands`: every position has been filled, `empty`: no worker is left.
        """
        match self.stage:
            case Stage.DOWN:
                if self.again and (self.not_before is None or self.not_before <= now):
                    self.wanted, self.again, self.not_before = True, False, None
                return self._ask(Stage.BEFORE_START, config) if self.wanted else None
            case Stage.RISING | Stage.UP if not self.wanted:
                return self._ask(Stage.BEFORE_STOP, config)
            case Stage.RISING if stands:
                return self._ask(Stage.AFTER_START, config)
            case Stage.SINKING if self.wanted:
                self.stage = Stage.RISING
            case Stage.SINKING if empty:
                return self._ask(Stage.AFTER_STOP, config)
        return None

    def _ask(self, stage: Stage, config: WatcherConfig) -> Ask | None:
        if stage in config.hooks:
            self.stage = stage
            return Ask(str(stage))
        self.stage = AFTER_ANSWER[stage]
        return None
