"""Tells systemd how its unit is: whether it is ready, reloading or stopping, and what it runs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from circus import systemd
from circus.core.slot import State
from circus.exc import NotYet

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from concurrent.futures import Future
    from typing import Any

    from circus.engine import Engine
    from circus.systemd import Notifier
    from circus.threads import Outcome
    from circus.watcher import Watcher

logger = logging.getLogger(__name__)

STATUS_EVERY = 1.0
"""Seconds between two lines of status, at least."""
ASSURE_EVERY, ASSURED = 5.0, 30.0
"""How often it is told that a start, reload or stop goes on, and for how long each time holds."""
NAMED_MAX = 5
"""Watchers in trouble that are named in a status."""


class Unit:
    """One life of an engine, told to systemd from the loop's thread. Never blocks.

    There is no periodic wake-up, but for a watchdog that systemd asks for (`watchdog`, in seconds),
    and while a start, a reload or a stop takes its time.
    """

    def __init__(self, engine: Engine, notifier: Notifier, watchdog: float | None) -> None:
        self._engine = engine
        self._loop = engine.loop
        self._notifier = notifier
        self._timers: dict[Callable[[], None], asyncio.TimerHandle] = {}
        self._unsent: dict[str, str] = {}
        """By what it is about: what is newer takes the place of what was not taken."""
        self._under_way = 0
        """The start and reloads that are not done."""
        self._trouble = ""
        """Why the last reload came to nothing."""
        self._line = ""
        self._told_at = 0.0
        self._stopping = False
        engine.onlookers.append(self._changed)
        self._assure()
        self._beat_every = watchdog / 2 if watchdog is not None else None
        if self._beat_every is not None:
            self._beat()

    def starts(self, start: Outcome[dict[str, Any]]) -> None:
        """It is ready when these watchers run, or are known not to for now."""
        self._under_way += 1
        start.add_done_callback(lambda _: self._done())

    def reloads(self, reload: Outcome[dict[str, Any]]) -> None:
        """It is reloading until this is there."""
        if not self._under_way:
            self._tell("state", systemd.reloading())
            self._assure()
        self._under_way += 1
        reload.add_done_callback(self._reloaded)

    def close(self) -> None:
        """Tell nothing more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    # -- what is told ------------------------------------------------

    def _done(self) -> None:
        self._under_way -= 1
        if self._under_way or self._engine.stopping:
            return
        self._later(self._assure, None)
        self._say()
        self._tell("state", f"{systemd.READY}\n{systemd.main_pid()}")

    def _reloaded(self, reload: Future[dict[str, Any]]) -> None:
        error = None if reload.cancelled() else reload.exception()
        # what is going to be tried again is in the line anyway
        failed = error is not None and not isinstance(error, NotYet)
        self._trouble = f"the last reload failed: {error}" if failed else ""
        self._done()

    def _changed(self) -> None:
        if self._engine.stopping and not self._stopping:
            self._stopping = True
            again = self._engine.starts_again
            self._tell("state", systemd.reloading() if again else systemd.STOPPING)
            self._assure()
        if self._say not in self._timers:
            wait = self._told_at + STATUS_EVERY - self._loop.time()
            self._later(self._say, max(0.0, wait))

    def _say(self) -> None:
        self._later(self._say, None)
        self._told_at = self._loop.time()
        trouble = "" if self._engine.stopping else self._trouble
        line = "; ".join(filter(None, [status_line(self._engine), trouble]))
        if line != self._line:
            self._line = line
            self._tell("status", systemd.status(line))

    def _assure(self) -> None:
        self._tell("timeout", systemd.extend_timeout(ASSURED))
        self._later(self._assure, ASSURE_EVERY)

    def _beat(self) -> None:
        # the same loop reaps; who waits for output waits for the pump
        if self._engine.pump.alive:
            self._tell("watchdog", systemd.WATCHDOG)
        self._later(self._beat, self._beat_every)

    # -- how ------------------------------------------------

    def _later(self, action: Callable[[], None], seconds: float | None) -> None:
        """Do it then and not when it was to be done before; None: not at all."""
        timer = self._timers.pop(action, None)
        if timer is not None:
            timer.cancel()
        if seconds is not None:
            self._timers[action] = self._loop.call_later(seconds, action)

    def _tell(self, about: str, message: str) -> None:
        self._unsent[about] = message
        self._send()

    def _send(self) -> None:
        try:
            taken = self._notifier.send(self._unsent.values())
        except OSError as error:
            logger.warning("Cannot tell systemd how we are: %s", error.strerror)
            taken = True
        if taken:
            self._unsent.clear()
        self._later(self._send, None if taken else STATUS_EVERY)


def status_line(engine: Engine) -> str:
    """How many watchers and workers there are, and what is wrong with the others."""
    workers = _count(engine.numprocesses(), "worker")
    if engine.stopping:
        return f"stopping, {workers} left"
    active = sum(watcher.status() == "active" for watcher in engine.watchers)
    wrong = [f"{one.name}: {word}" for one in engine.watchers if (word := _trouble(engine, one))]
    if len(wrong) > NAMED_MAX:
        wrong[NAMED_MAX:] = [f"and {len(wrong) - NAMED_MAX} more"]
    return "; ".join([f"{_count(active, 'watcher')} active, {workers}", *wrong])


def _trouble(engine: Engine, watcher: Watcher) -> str:
    """Why a watcher that is to run does not, or not with all its workers; or nothing."""
    if other := engine.orders.blocked_by(watcher):
        return f"waits for {other}"
    if watcher.halted:
        return watcher.halted
    if not engine.orders.is_wanted(watcher):
        return ""
    states = {slot.state for slot in watcher.pool.slots.values()}
    if State.FAILED in states:
        return "given up"
    if State.BACKOFF in states:
        return "backing off"
    return "" if watcher.status() in ("active", "stopped") else watcher.status()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
