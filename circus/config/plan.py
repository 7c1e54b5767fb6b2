"""Running and wanted `Config` to an ordered list of steps, each with its cost."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from circus.config.asked import used
from circus.config.model import Config, WatcherConfig
from circus.config.plugins import PREFIX, plugin_reasons
from circus.config.schema import OnChange, cost_between, differing
from circus.steps import NEW, Action, Step

ACTIONS = {
    OnChange.NOTHING: Action.LIVE,
    OnChange.RECONCILE: Action.LIVE,
    OnChange.REPLACE: Action.ROLLING,
    OnChange.RESTART: Action.RESTART,
}
KINDS = ("socket", "watcher")
"""In the order in which they are built; they are taken down the other way round. A plugin is the
watcher that runs it."""
GONE = "it is not in the file any more"
STAYS_STOPPED = "it is stopped and stays so"


def plan(
    running: Config,
    wanted: Config,
    *,
    stopped: Container[str] = frozenset(),
    starts: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> tuple[Step, ...]:
    """What it takes to go from one to the other; removals first. Nothing for what is the same.

    `stopped`: watchers, by lower-case name, that do not run and are not about to; `starts`: those
    of them that are to, and why.
    """
    steps: list[Step] = []
    for kind in reversed(KINDS):
        steps += _removed(kind, *_both(kind, running, wanted))
    steps += _changed("circus", "circus", running.circus, wanted.circus)
    for kind in KINDS[:-1]:
        steps += _built(kind, *_both(kind, running, wanted))
    moved = {step.name: step.action for step in steps if step.kind == "socket"}
    return (*steps, *_watchers(running, wanted, moved, stopped, starts))


# -- steps ------------------------------------------------


def _both(
    kind: str, running: Config, wanted: Config
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    return getattr(running, f"{kind}s"), getattr(wanted, f"{kind}s")


def _removed(kind: str, running: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Step]:
    for name, one in running.items():
        if name not in wanted:
            yield Step(kind, one.name, Action.STOP, (GONE,))


def _built(kind: str, running: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[Step]:
    for name, one in wanted.items():
        if name in running:
            yield from _changed(kind, one.name, running[name], one)
        else:
            yield Step(kind, one.name, Action.START, (NEW,))


def _changed(kind: str, name: str, running: Any, wanted: Any) -> Iterator[Step]:
    if running is not wanted and running != wanted:
        yield Step(kind, name, ACTIONS[cost_between(running, wanted)], differing(running, wanted))


def _watchers(
    running: Config,
    wanted: Config,
    moved: Mapping[str, Action],
    stopped: Container[str],
    starts: Mapping[str, Sequence[str]],
) -> Iterator[Step]:
    for name, one in wanted.watchers.items():
        before = running.watchers.get(name)
        if before is None:
            yield new_watcher(one)
            continue
        stays = name in stopped and name not in starts
        step = changed_watcher(before, one, stopped=stays)
        if step is not None and name.startswith(PREFIX):
            step = _of_plugin(step, running, wanted)
        if moved and (lost := _sockets_that_move(before, one, running, wanted, moved)):
            step = _moved(one, step, lost, stopped=stays)
        if name in starts:
            reasons = (*(step.reasons if step else ()), *starts[name])
            step = Step("watcher", one.name, Action.START, reasons)
        if step is not None:
            yield step


def _of_plugin(step: Step, running: Config, wanted: Config) -> Step:
    """The same with reasons in the words of a plugin's section, not of the watcher that it is."""
    name = step.name.removeprefix(PREFIX).lower()
    if name not in running.plugins or name not in wanted.plugins:
        return step
    reasons = plugin_reasons(running, wanted, name, step.reasons)
    return step._replace(reasons=reasons)


def new_watcher(config: WatcherConfig) -> Step:
    """What becomes of a watcher that there was not."""
    if not config.autostart:
        return Step("watcher", config.name, Action.ADD, (NEW, "autostart is off"))
    if config.on_demand:
        say = "it starts with the first connection"
        return Step("watcher", config.name, Action.ADD, (NEW, say))
    return Step("watcher", config.name, Action.START, (NEW,))


def changed_watcher(before: WatcherConfig, after: WatcherConfig, *, stopped: bool) -> Step | None:
    """What it takes to go from one to the other, None when they are the same."""
    step = next(_changed("watcher", after.name, before, after), None)
    if step is None or not stopped:
        return step
    if after.autostart and not before.autostart:
        return step._replace(action=Action.START)
    return Step("watcher", after.name, Action.LIVE, (*step.reasons, STAYS_STOPPED))


def _sockets_that_move(
    before: WatcherConfig,
    after: WatcherConfig,
    running: Config,
    wanted: Config,
    moved: Mapping[str, Action],
) -> list[str]:
    """The sockets of a watcher that are other ones than before."""
    had, asked = used(before, running.sockets), used(after, wanted.sockets)
    return sorted(name for name in had | asked if moved.get(name, Action.LIVE) is not Action.LIVE)


def _moved(config: WatcherConfig, step: Step | None, lost: list[str], *, stopped: bool) -> Step:
    reasons = (*(step.reasons if step else ()), f"socket {', '.join(lost)} is another one")
    if stopped:
        action = step.action if step else Action.LIVE
        return Step("watcher", config.name, action, reasons)
    dear = step is not None and step.action is Action.RESTART
    return Step("watcher", config.name, Action.RESTART if dear else Action.ROLLING, reasons)
