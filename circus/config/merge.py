"""What was changed at run time, kept while the file changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from circus.config.model import Config, WatcherConfig

T = TypeVar("T")


def target(declared: Config, wanted: Config, running: Config) -> Config:
    """What there is to be when the file changes from `declared` to `wanted`.

    What was changed at run time stays as long as the file says nothing new about it: options,
    counts, watchers that were added. A watcher that was removed and is in the file comes back.
    """
    watchers: dict[str, WatcherConfig] = {}
    for name, one in wanted.watchers.items():
        before, now = declared.watchers.get(name), running.watchers.get(name)
        if before is None or now is None:
            watchers[name] = one
        else:
            watchers[name] = carried_over(before, one, now)
    added = running.watchers.keys() - declared.watchers.keys() - watchers.keys()
    watchers.update({name: running.watchers[name] for name in sorted(added)})
    return dataclasses.replace(wanted, watchers=watchers)


def undone(wanted: Config, before: Config, now: Config) -> Config:
    """What there is to be when the change from `before` to `wanted` is taken back.

    What differs from `wanted` by now was changed meanwhile, by hand, and stays.
    """
    back = target(wanted, now, before)
    added = wanted.watchers.keys() - before.watchers.keys()
    watchers = {name: one for name, one in back.watchers.items() if name not in added}
    return dataclasses.replace(before, watchers=watchers)


def carried_over(before: T, wanted: T, now: T) -> T:
    """`wanted` with what differs between `before` and `now`, where `wanted` is as `before`."""
    if now is before or now == before:
        return wanted
    kept: dict[str, Any] = {}
    for one in dataclasses.fields(now):  # type: ignore[arg-type]  # sections are dataclasses
        was, asked, is_now = (getattr(held, one.name) for held in (before, wanted, now))
        if isinstance(was, Mapping):
            kept[one.name] = _keys_carried_over(was, asked, is_now)
        elif asked == was:
            kept[one.name] = is_now
    return dataclasses.replace(wanted, **kept)  # type: ignore[type-var]  # the same


_ABSENT = object()


def _keys_carried_over(
    was: Mapping[str, Any], asked: Mapping[str, Any], is_now: Mapping[str, Any]
) -> dict[str, Any]:
    found = dict(asked)
    for key in {**was, **is_now}:
        old, new = was.get(key, _ABSENT), is_now.get(key, _ABSENT)
        if old == new or asked.get(key, _ABSENT) != old:
            continue
        if new is _ABSENT:
            found.pop(key, None)
        else:
            found[key] = new
    return found
