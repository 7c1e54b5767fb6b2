"""What a slot is doing, told to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circus.core.slot import TURNED_AWAY, State, Why
from circus.exc import CircusError, NotYet

if TYPE_CHECKING:
    from circus.config.model import WatcherConfig
    from circus.core.pool import Pool
    from circus.core.slot import Slot

WORDS = {
    State.EMPTY: "empty",
    State.SPAWNING: "being started",
    State.STARTING: "running, not yet counted as ready",
    State.READY: "running",
    State.STOPPING: "stopping",
    State.BACKOFF: "backing off",
    State.FAILED: "given up",
    State.DONE: "ended, not to be started again",
}

ALIVE = (State.STARTING, State.READY)

NEXT = {
    State.SPAWNING: "its program is being executed",
    State.FAILED: "nothing until it is started again (max_retry reached)",
    State.DONE: "nothing: respawn is off",
}

WORK_IS_DONE = "nothing: it ended with one of its done_codes"


def slot_report(
    slot: Slot,
    config: WatcherConfig,
    now: float,
    hook: str = "",
    *,
    frozen: bool = False,
) -> dict[str, Any]:
    """The answer to `why` for one slot; durations in seconds. `hook`: the one it waits for."""
    what = "frozen" if frozen and slot.state in ALIVE else WORDS[slot.state]
    return {
        "wid": slot.wid,
        "state": str(slot.state),
        "since": round(now - slot.since, 3),
        "pid": slot.pid,
        "what": what + (f": {slot.why}" if slot.state is State.STOPPING else ""),
        "last": slot.last,
        "next": "; ".join(filter(None, [hook, _next(slot, config, now, hook)])),
        "failures": slot.failures,
        "restarts": slot.restarts,
    }


def refuse_if_fallen(config: WatcherConfig, pool: Pool, now: float) -> None:
    """Raises NotYet, or CircusError, when what was to run does not, with the reason."""
    name, life = config.name, pool.life
    if life.not_before is not None:
        wait = max(0.0, life.not_before - now)
        raise NotYet(f"{name}: {life.refusal}; next try {_after(wait)}")
    if life.refusal:
        raise CircusError(f"{name}: {life.refusal}; stopped")
    for slot in pool.slots.values():
        if slot.state in (State.BACKOFF, State.FAILED):
            report = slot_report(slot, config, now)
            failure = NotYet if slot.why is Why.PUT_OFF else CircusError
            raise failure(f"{name}.{slot.wid}: {report['last']}; {report['next']}")


def _next(slot: Slot, config: WatcherConfig, now: float, hook: str) -> str:
    left = max(0.0, (slot.deadline or now) - now)
    match slot.state:
        case State.SPAWNING if hook:
            return ""
        case State.STARTING:
            return f"counts as ready in {left:.1f} s"
        case State.READY if slot.deadline:
            return f"replaced for its age in {left:.0f} s"
        case State.STOPPING:
            after = "" if slot.wanted and slot.why is not Why.ASKED else ", and stays stopped"
            return f"SIGKILL in {left:.1f} s unless it ends{after}"
        case State.BACKOFF:
            if not slot.failures or slot.why in TURNED_AWAY:
                return f"started again {_after(left)}"
            bound = "" if config.max_retry < 0 else f" of {config.max_retry}"
            return f"next try {_after(left)} (failure {slot.failures}{bound})"
        case State.FAILED if slot.why in TURNED_AWAY:
            return "nothing until it is started again"
        case _:
            done = slot.done and slot.state is State.DONE
            return WORK_IS_DONE if done else NEXT.get(slot.state, "nothing")


def _after(wait: float) -> str:
    """In how many seconds; what would be shown as none is at once."""
    return "at once" if wait < 0.05 else f"in {wait:.1f} s"
