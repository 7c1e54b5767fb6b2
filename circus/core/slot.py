"""One worker position: what it is doing, and what each event makes it do next.

Rules of this file:
1. Everything that decides about one worker lives here; nothing here does anything.
2. What is wanted (`wanted`) changes by command; what is (`state`) changes by fact.
3. A slot has at most one `deadline`; when it passes, that is an event like any other.
4. Chance enters with the event (`luck`), time enters as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.config.model import WatcherConfig

KILL_AGAIN = 1.0
"""Seconds between two SIGKILLs to a tree that is still there."""


class State(StrEnum):
    """What a slot is doing; the words are shown to people."""

    EMPTY = "empty"
    SPAWNING = "spawning"
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    BACKOFF = "backoff"
    FAILED = "failed"
    DONE = "done"


class Why(StrEnum):
    """Why a worker is being stopped."""

    ASKED = "stop was asked for"
    RESTART = "restart was asked for"
    EXPIRED = "it reached its max_age"
    LEFTOVERS = "it ended and left processes behind"
    REFUSED = "a hook refused it"
    PUT_OFF = "a hook asks to try again later"


TURNED_AWAY = (Why.REFUSED, Why.PUT_OFF)
UNASKED = (Why.LEFTOVERS, *TURNED_AWAY)
"""Nobody asked for the stop; whoever asks for something meanwhile has a say in what comes next."""


# -- events ------------------------------------------------


@dataclass(frozen=True, slots=True)
class WantUp:
    """Somebody wants this position filled."""


@dataclass(frozen=True, slots=True)
class WantDown:
    """Nobody wants this position filled any more."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Forget earlier failures and try now."""


@dataclass(frozen=True, slots=True)
class Terminate:
    """Stop the process, then do as wanted; other signal and grace (seconds) than configured."""

    signum: int | None = None
    grace: float | None = None


@dataclass(frozen=True, slots=True)
class Spawned:
    """The program runs. `luck` in [0, 1) draws its life time within `max_age_variance`."""

    pid: int
    luck: float = 0.0


@dataclass(frozen=True, slots=True)
class SpawnFailed:
    """The program could not be started. `luck` in [0, 1) draws the jitter of the back-off."""

    reason: str
    luck: float = 0.0


@dataclass(frozen=True, slots=True)
class Refused:
    """A hook does not want this worker, or wants to be asked again `later`.

    `pid`: the program runs already.
    """

    reason: str
    later: bool = False
    pid: int | None = None
    luck: float = 0.0


@dataclass(frozen=True, slots=True)
class Exited:
    """The leader ended. `empty`: nothing that it started is left."""

    how: str
    empty: bool = True
    success: bool = False
    done: bool = False
    """With one of the watcher's `done_codes`."""
    luck: float = 0.0


@dataclass(frozen=True, slots=True)
class Emptied:
    """The last process of the tree is gone, after its leader."""

    luck: float = 0.0


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """The slot's `deadline` is behind us."""


Event: TypeAlias = (
    WantUp
    | WantDown
    | Retry
    | Terminate
    | Spawned
    | SpawnFailed
    | Refused
    | Exited
    | Emptied
    | DeadlinePassed
)
EVENTS = (
    WantUp,
    WantDown,
    Retry,
    Terminate,
    Spawned,
    SpawnFailed,
    Refused,
    Exited,
    Emptied,
    DeadlinePassed,
)

# -- effects ------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spawn:
    """Start the program, with its hooks; answer with Spawned, SpawnFailed or Refused."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Ask the process (or, once its leader is gone, what is left) to end."""

    signum: int


@dataclass(frozen=True, slots=True)
class KillTree:
    """SIGKILL everything that the worker started."""


Effect: TypeAlias = Spawn | Signal | KillTree


class Slot(NamedTuple):
    """The facts about one position. Times are monotonic seconds.

    A named tuple, because a worker's life takes a dozen of them and these are the cheapest.
    """

    wid: int
    state: State = State.EMPTY
    wanted: bool = False
    pid: int | None = None
    since: float = 0.0
    deadline: float | None = None
    failures: int = 0
    """Failures in a row: starts that failed, young workers that ended badly."""
    short_lives: int = 0
    """The same, and young workers that ended well: what sets the pace of the next start."""
    restarts: int = 0
    last: str = ""
    """The last thing that went wrong or ended, in words."""
    why: Why | None = None
    leader_gone: bool = False
    ended_well: bool = False
    """The last end was an exit with code 0, or one of `done_codes`."""
    done: bool = False
    """The last end was an exit with one of `done_codes`."""
    kills: int = 0
    """SIGKILLs sent in this stop."""
    started: float = 0.0
    luck: float = 0.0


Outcome: TypeAlias = "tuple[Slot, tuple[Effect, ...]]"


def step(slot: Slot, event: Event, config: WatcherConfig, now: float) -> Outcome:
    """Decide what `event` at `now` (monotonic seconds) changes and asks for."""
    handler = TABLE.get((slot.state, type(event)))
    if handler is None:
        return slot, ()
    return handler(slot, event, config, now)


def back_off(short_lives: int, config: WatcherConfig, luck: float) -> float:
    """Seconds to wait before the next start; the first death is answered at once."""
    if short_lives <= 1:
        return 0.0
    # the exponent is bounded because a float overflows long before anyone stops retrying
    growth = float(config.backoff_factor) ** min(short_lives - 2, 64)
    wait = min(config.backoff_delay * growth, config.backoff_max)
    return wait * (1.0 + config.backoff_jitter * luck)


# -- handlers, in the order of a life ------------------------------------------------


def _enter(slot: Slot, state: State, now: float, deadline: float | None = None) -> Slot:
    return slot._replace(state=state, since=now, deadline=deadline)


def _forgive(slot: Slot) -> Slot:
    return slot._replace(failures=0, short_lives=0)


def _want_up(slot: Slot, _event: Event, _config: WatcherConfig, _now: float) -> Outcome:
    return slot._replace(wanted=True), ()


def _retry_later(slot: Slot, _event: Event, _config: WatcherConfig, _now: float) -> Outcome:
    return _asked_meanwhile(slot, Why.RESTART)._replace(wanted=True), ()


def _stop_later(slot: Slot, _event: Event, _config: WatcherConfig, _now: float) -> Outcome:
    return _asked_meanwhile(slot, Why.ASKED)._replace(wanted=False), ()


def _asked_meanwhile(slot: Slot, why: Why) -> Slot:
    """Somebody asks for something while it is going: then that is why it goes."""
    return slot._replace(why=why) if slot.why in UNASKED else slot


def _want_down(slot: Slot, _event: Event, _config: WatcherConfig, _now: float) -> Outcome:
    return slot._replace(wanted=False), ()


def _fill(slot: Slot, _event: Event, _config: WatcherConfig, now: float) -> Outcome:
    return _spawn(slot._replace(wanted=True), now)


def _try_again(slot: Slot, _event: Event, _config: WatcherConfig, now: float) -> Outcome:
    return _spawn(slot, now)


def _spawn(slot: Slot, now: float) -> Outcome:
    fresh = slot._replace(pid=None, why=None, leader_gone=False, kills=0)
    return _enter(fresh, State.SPAWNING, now), (Spawn(),)


def _retry(slot: Slot, _event: Event, _config: WatcherConfig, now: float) -> Outcome:
    return _spawn(_forgive(slot._replace(wanted=True)), now)


def _empty(slot: Slot, _event: Event, _config: WatcherConfig, now: float) -> Outcome:
    return _enter(_forgive(slot._replace(wanted=False)), State.EMPTY, now), ()


def _spawned(slot: Slot, event: Event, config: WatcherConfig, now: float) -> Outcome:
    assert isinstance(event, Spawned)  # noqa: S101 the table sends nothing else here
    slot = slot._replace(pid=event.pid, started=now, luck=event.luck)
    if not slot.wanted:
        return _stop(slot, config, now, Why.ASKED)
    if config.ready_after > 0:
        return _enter(slot, State.STARTING, now, now + config.ready_after), ()
    return _ready(slot, event, config, now)


def _ready(slot: Slot, _event: Event, config: WatcherConfig, now: float) -> Outcome:
    return _enter(slot, State.READY, now, _expiry(slot, config)), ()


def _expiry(slot: Slot, config: WatcherConfig) -> float | None:
    """When the worker is old; drawn once per process, counted from its start."""
    if config.max_age <= 0:
        return None
    return slot.started + config.max_age + config.max_age_variance * slot.luck


def _spawn_failed(slot: Slot, event: Event, config: WatcherConfig, now: float) -> Outcome:
    assert isinstance(event, SpawnFailed)  # noqa: S101 the table sends nothing else here
    slot = slot._replace(last=event.reason, ended_well=False)
    if not slot.wanted:
        return _enter(slot, State.EMPTY, now), ()
    return _too_short(slot, config, now, event.luck), ()


def _too_short(slot: Slot, config: WatcherConfig, now: float, luck: float) -> Slot:
    """The start failed or the life was short: a pause, or after too many failures no more."""
    failures = 0 if slot.ended_well else slot.failures + 1
    slot = slot._replace(failures=failures, short_lives=slot.short_lives + 1, pid=None)
    if failures and 0 <= config.max_retry <= failures:
        return _enter(slot, State.FAILED, now)
    wait = back_off(slot.short_lives, config, luck)
    return _enter(slot, State.BACKOFF, now, now + wait)


def _refused(slot: Slot, event: Event, config: WatcherConfig, now: float) -> Outcome:
    assert isinstance(event, Refused)  # noqa: S101 the table sends nothing else here
    slot = slot._replace(last=event.reason, ended_well=False)
    why = Why.PUT_OFF if event.later else Why.REFUSED
    if event.pid is not None:
        slot = slot._replace(pid=event.pid, started=now)
        return _stop(slot, config, now, why if slot.wanted else Why.ASKED)
    if not slot.wanted:
        return _enter(slot, State.EMPTY, now), ()
    return _turned_away(slot._replace(why=why), config, now, event.luck), ()


def _turned_away(slot: Slot, config: WatcherConfig, now: float, luck: float) -> Slot:
    """A hook had its way. To be asked again later is no failure, but it sets the pace."""
    if slot.why is Why.REFUSED:
        return _enter(slot, State.FAILED, now)
    slot = slot._replace(short_lives=max(1, slot.short_lives) + 1)
    return _enter(slot, State.BACKOFF, now, now + back_off(slot.short_lives, config, luck))


def _exited(slot: Slot, event: Event, config: WatcherConfig, now: float) -> Outcome:
    """A worker ended on its own; what it left behind must go before another takes its place."""
    assert isinstance(event, Exited)  # noqa: S101 the table sends nothing else here
    well = event.success or event.done
    slot = slot._replace(last=event.how, ended_well=well, done=event.done)
    if event.empty:
        return _gone(slot, config, now, event.luck)
    stopped = slot._replace(why=Why.LEFTOVERS, leader_gone=True)
    deadline = now + config.graceful_timeout
    return _enter(stopped, State.STOPPING, now, deadline), (Signal(config.stop_signal),)


def _gone(slot: Slot, config: WatcherConfig, now: float, luck: float) -> Outcome:
    """Nothing is left of the worker: what now?"""
    meant = slot.why is not None and slot.why not in UNASKED
    ran = (slot.since if slot.leader_gone else now) - slot.started
    slot = slot._replace(pid=None)
    if not slot.wanted:
        return _enter(_forgive(slot), State.EMPTY, now), ()
    if slot.why in TURNED_AWAY:
        return _turned_away(slot, config, now, luck), ()
    if meant:
        return _spawn(_forgive(slot._replace(restarts=slot.restarts + 1)), now)
    if not config.respawn or config.on_demand or slot.done:
        return _enter(slot, State.DONE, now), ()
    slot = slot._replace(restarts=slot.restarts + 1)
    if ran >= config.backoff_reset:
        slot = _forgive(slot)
    slot = _too_short(slot, config, now, luck)
    if slot.state is State.BACKOFF and slot.deadline is not None and slot.deadline <= now:
        return _spawn(slot, now)  # the first death is not made to wait for a timer
    return slot, ()


def _want_stop(slot: Slot, _event: Event, config: WatcherConfig, now: float) -> Outcome:
    return _stop(slot._replace(wanted=False), config, now, Why.ASKED)


def _stop(slot: Slot, config: WatcherConfig, now: float, why: Why) -> Outcome:
    slot = slot._replace(why=why, kills=0)
    deadline = now + config.graceful_timeout
    return _enter(slot, State.STOPPING, now, deadline), (Signal(config.stop_signal),)


def _terminate(slot: Slot, event: Event, config: WatcherConfig, now: float) -> Outcome:
    assert isinstance(event, Terminate)  # noqa: S101 the table sends nothing else here
    grace = config.graceful_timeout if event.grace is None else event.grace
    signum = config.stop_signal if event.signum is None else event.signum
    slot = slot._replace(why=Why.RESTART, kills=0)
    return _enter(slot, State.STOPPING, now, now + grace), (Signal(signum),)


def _hurry(slot: Slot, event: Event, _config: WatcherConfig, now: float) -> Outcome:
    """A second stop may shorten the first one's grace and add its signal; never lengthen it."""
    assert isinstance(event, Terminate)  # noqa: S101 the table sends nothing else here
    if event.grace is not None and slot.deadline is not None:
        slot = slot._replace(deadline=min(slot.deadline, now + event.grace))
    return slot, (() if event.signum is None else (Signal(event.signum),))


def _expired(slot: Slot, _event: Event, config: WatcherConfig, now: float) -> Outcome:
    return _stop(slot, config, now, Why.EXPIRED)


def _leader_ended(slot: Slot, event: Event, config: WatcherConfig, now: float) -> Outcome:
    assert isinstance(event, Exited)  # noqa: S101 the table sends nothing else here
    # that a hook had it stopped is worth more than how it took it
    last = slot.last if slot.why in TURNED_AWAY else event.how
    well = event.success or event.done
    slot = slot._replace(last=last, ended_well=well, done=event.done, leader_gone=True)
    if event.empty:
        return _gone(slot, config, now, event.luck)
    # what is left never heard the stop signal: it went to the leader
    return slot, (Signal(config.stop_signal),)


def _emptied(slot: Slot, event: Event, config: WatcherConfig, now: float) -> Outcome:
    assert isinstance(event, Emptied)  # noqa: S101 the table sends nothing else here
    if not slot.leader_gone:
        return slot, ()
    return _gone(slot, config, now, event.luck)


def _kill(slot: Slot, _event: Event, _config: WatcherConfig, now: float) -> Outcome:
    return slot._replace(kills=slot.kills + 1, deadline=now + KILL_AGAIN), (KillTree(),)


S = State
TABLE: dict[tuple[State, type], Callable[[Slot, Event, WatcherConfig, float], Outcome]] = {
    (S.EMPTY, WantUp): _fill,
    (S.EMPTY, Retry): _retry,
    (S.SPAWNING, WantUp): _want_up,
    (S.SPAWNING, WantDown): _want_down,
    (S.SPAWNING, Spawned): _spawned,
    (S.SPAWNING, SpawnFailed): _spawn_failed,
    (S.SPAWNING, Refused): _refused,
    (S.STARTING, WantDown): _want_stop,
    (S.STARTING, Terminate): _terminate,
    (S.STARTING, Exited): _exited,
    (S.STARTING, DeadlinePassed): _ready,
    (S.READY, WantDown): _want_stop,
    (S.READY, Terminate): _terminate,
    (S.READY, Exited): _exited,
    (S.READY, DeadlinePassed): _expired,
    (S.STOPPING, WantUp): _want_up,
    (S.STOPPING, WantDown): _stop_later,
    (S.STOPPING, Retry): _retry_later,
    (S.STOPPING, Terminate): _hurry,
    (S.STOPPING, Exited): _leader_ended,
    (S.STOPPING, Emptied): _emptied,
    (S.STOPPING, DeadlinePassed): _kill,
    (S.BACKOFF, WantDown): _empty,
    (S.BACKOFF, Retry): _retry,
    (S.BACKOFF, DeadlinePassed): _try_again,
    (S.FAILED, WantDown): _empty,
    (S.FAILED, Retry): _retry,
    (S.DONE, WantDown): _empty,
    (S.DONE, Retry): _retry,
}
IGNORED = frozenset({
    # already so
    (S.EMPTY, WantDown), (S.STARTING, WantUp), (S.READY, WantUp), (S.SPAWNING, Retry),
    (S.STARTING, Retry), (S.READY, Retry), (S.BACKOFF, WantUp), (S.FAILED, WantUp),
    (S.DONE, WantUp),
    # nothing there to stop
    (S.EMPTY, Terminate), (S.SPAWNING, Terminate), (S.BACKOFF, Terminate),
    (S.FAILED, Terminate), (S.DONE, Terminate),
    # facts about a process that this state does not have
    *((s, fact) for s in S for fact in (Spawned, SpawnFailed, Refused) if s is not S.SPAWNING),
    *((state, Exited) for state in (S.EMPTY, S.SPAWNING, S.BACKOFF, S.FAILED, S.DONE)),
    *((state, Emptied) for state in S if state is not S.STOPPING),
    # states without a deadline
    *((state, DeadlinePassed) for state in (S.EMPTY, S.SPAWNING, S.FAILED, S.DONE)),
})  # fmt: skip
"""Pairs that change nothing, on purpose; a test checks that this and TABLE cover everything."""
