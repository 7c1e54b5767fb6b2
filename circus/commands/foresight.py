"""What a command would do, told before it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circus.steps import Action, Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from circus.engine import Engine
    from circus.process import Process
    from circus.watcher import Watcher

Reply = dict[str, Any]


def steps_reply(steps: Iterable[Step]) -> Reply:
    """Steps as an answer has them."""
    return {"steps": [one.told() for one in steps]}


def steps_lines(reply: Reply) -> str:
    """A line for each: what is done, to what, and why."""
    steps = reply.get("steps", [])
    if not steps:
        return "nothing to do"
    lines = [
        (one["action"], f"{one['kind']} {one['name']}", ", ".join(one["why"])) for one in steps
    ]
    widths = [max(len(line[column]) for line in lines) for column in (0, 1)]
    return "\n".join(f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c}".rstrip() for a, b, c in lines)


# -- of watchers ------------------------------------------------


def starts(engine: Engine, chosen: list[Watcher]) -> list[Step]:
    """Of these and of those that they require."""
    steps = []
    for watcher in engine.orders.with_required(chosen):
        if engine.orders.is_wanted(watcher):
            steps.append(step(watcher, Action.NOTHING, f"it is {watcher.status()}"))
        else:
            asked = watcher in chosen
            steps.append(step(watcher, Action.START, "asked for" if asked else "it is required"))
    return steps


def stops(engine: Engine, chosen: Iterable[Watcher], why: str = "asked for") -> list[Step]:
    """Of these."""
    return [
        step(one, Action.STOP, why)
        if engine.orders.is_wanted(one) or one.status() != "stopped"
        else step(one, Action.NOTHING, "it is stopped")
        for one in chosen
    ]


def replacements(engine: Engine, chosen: list[Watcher], *, graceful: bool) -> list[Step]:
    """Of the workers of these; those that do not run are started."""
    steps = []
    for one in chosen:
        if not one.pool.up:
            steps += starts(engine, [one])
        elif not graceful:
            steps.append(step(one, Action.RESTART, "asked for"))
        elif one.config.send_hup:
            steps.append(step(one, Action.LIVE, "its workers get SIGHUP (send_hup)"))
        else:
            steps.append(step(one, Action.ROLLING, "asked for"))
    return steps


def kills(
    watcher: Watcher, chosen: Iterable[Process], signum: int | None, grace: float | None
) -> list[Step]:
    """Of single workers; None stands for the signal, or the seconds, of the watcher."""
    return [
        Step("worker", f"{watcher.name}.{one.wid}", *_kill(watcher, one, signum, grace))
        for one in chosen
    ]


def _kill(
    watcher: Watcher, process: Process, signum: int | None, grace: float | None
) -> tuple[Action, tuple[str, ...]]:
    """What is done to a worker, and what follows."""
    from signal import SIGKILL  # which circusctl does without, as all of this

    from circus.core.slot import State

    config, state = watcher.config, watcher.pool.slots[process.wid].state
    if state is State.SPAWNING:
        return Action.NOTHING, ("it is still being started",)
    if state is State.STOPPING:
        gets = () if signum is None else (_gets(process, signum),)
        sooner = () if grace is None else (f"SIGKILL after {grace:g} s at the latest",)
        action = Action.STOP if gets or sooner else Action.NOTHING
        return action, ("it is stopping already", *gets, *sooner)
    number = config.stop_signal if signum is None else signum
    limit = config.graceful_timeout if grace is None else grace
    killed = () if number == SIGKILL else (f"SIGKILL after {limit:g} s unless it ends",)
    return Action.RESTART, (_gets(process, number), *killed, "then another takes its place")


def _gets(process: Process, signum: int) -> str:
    from circus.config.kinds import signal_name  # the same

    return f"pid {process.pid} gets {signal_name(signum)}"


def resized(watcher: Watcher, count: int) -> list[Step]:
    """Of the number of workers."""
    before = watcher.config.numprocesses
    if count == before:
        return [step(watcher, Action.NOTHING, f"numprocesses is {before}")]
    return [step(watcher, Action.LIVE, f"numprocesses {before} -> {count}")]


def step(watcher: Watcher, action: Action, why: str) -> Step:
    """One of a watcher."""
    return Step("watcher", watcher.name, action, (why,))
