"""Sections from plain values and back, as commands, programs and old clients give and read them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from circus.access import Role
from circus.config import kinds
from circus.config.model import SocketConfig, WatcherConfig
from circus.config.rules import socket_rules, unfit_name, watcher_rules
from circus.config.schema import Problem, Reading, nearest, read, row_of, rows
from circus.exc import ArgumentError, ConfigError

UNSET = object()
"""Asks for the default."""


def watcher_from_mapping(
    name: str, given: Mapping[str, object], *, free: bool = True
) -> WatcherConfig:
    """A watcher from values or text, as `add` and the library give them. Raises ConfigError.

    None stands for the default. Without `free`, a key that is no option is a problem.
    """
    where = f"watcher {name!r}"
    wanted = {key: value for key, value in _flat(given).items() if value is not UNSET}
    found = read(WatcherConfig, wanted, lambda key: where)
    if (unfit := unfit_name("watcher", name)) is not None:
        found.problems.append(Problem("", unfit))
    if wanted.get("cmd") is None:
        found.problems.append(Problem(where, "cmd is missing"))
    if not free:
        found.problems += [Problem(where, message) for message in _unknown_keys(found.extra)]
    if found.problems:
        raise ConfigError(found.problems)
    config = WatcherConfig(name=name, extra=found.extra, **found.values)
    problems = [Problem(where, message) for _, message in watcher_rules(config)]
    if problems:
        raise ConfigError(problems)
    return config


def socket_from_mapping(name: str, given: Mapping[str, object]) -> SocketConfig:
    """A socket from values or text, as the library gives them. Raises ConfigError."""
    where = f"socket {name!r}"
    wanted = {key: value for key, value in given.items() if value is not None}
    found = read(SocketConfig, wanted, lambda key: where)
    found.problems += [
        Problem(where, f"unknown option {key!r}{nearest(SocketConfig, key)}") for key in found.extra
    ]
    if found.problems:
        raise ConfigError(found.problems)
    config = SocketConfig(name=name, **found.values)
    problems = [Problem(where, f"{key}: {message}") for key, message in socket_rules(config)]
    if problems:
        raise ConfigError(problems)
    return config


def changed(config: WatcherConfig, given: Mapping[str, object]) -> WatcherConfig:
    """The same with other values; all of them or, when one is wrong, ArgumentError.

    None goes back to the default. Options of a stream, hooks and limits are changed one by one, a
    whole mapping takes the place of what was there; so does `env`.
    """
    flat = _flat(given)
    found = read(WatcherConfig, {k: v for k, v in flat.items() if v is not UNSET}, lambda key: "")
    messages = [str(problem) for problem in found.problems]
    messages += _unknown_keys(key for key in found.extra if key not in config.extra)
    messages += _unknown_keys(
        key for key, value in flat.items() if value is UNSET and not is_option(key)
    )
    if flat.get("cmd") is UNSET:
        messages.append("cmd is missing")
    if messages:
        raise ArgumentError("; ".join(messages))
    values = _merged(config, found, flat, given)
    wanted = dataclasses.replace(config, extra={**config.extra, **found.extra}, **values)
    wrong = [message for _, message in watcher_rules(wanted)]
    if wrong:
        raise ArgumentError("; ".join(wrong))
    return wanted


def _merged(
    config: WatcherConfig, found: Reading, flat: Mapping[str, object], given: Mapping[str, object]
) -> dict[str, Any]:
    values = dict(found.values)
    for row in rows(WatcherConfig):
        if not row.prefix:
            if any(flat.get(name) is UNSET for name in (row.name, *row.aliases)):
                values[row.field] = {} if row.field == "env" else row.default
            continue
        whole = row.field in given
        kept = {} if whole else dict(getattr(config, row.field))
        for key, value in flat.items():
            match = row_of(WatcherConfig, key)
            if value is UNSET and match is not None and match[0] is row:
                kept.pop(match[1], None)
        values[row.field] = {**kept, **values.get(row.field, {})}
    return values


def _unknown_keys(keys: Iterable[str]) -> list[str]:
    return [f"unknown key {key!r}{nearest(WatcherConfig, key)}" for key in keys]


def _flat(given: Mapping[str, object]) -> dict[str, object]:
    """`{"stdout_stream": {"class": …}}` as the keys of a file; None as UNSET.

    A limit of None is no limit. What `options` adds for old clients is left out.
    """
    families = {row.field: row.name for row in rows(WatcherConfig) if row.prefix}
    flat: dict[str, object] = {}
    for key, value in given.items():
        if key in ("stdout_stream_conf", "stderr_stream_conf"):
            continue
        family = families.get(key)
        if family is None:
            flat[key] = UNSET if value is None and not key.startswith("rlimit_") else value
        elif isinstance(value, Mapping):
            flat.update({f"{family}{name}": item for name, item in value.items()})
        elif value is not None:
            flat[key] = value
    return flat


def options_of(config: WatcherConfig) -> dict[str, Any]:
    """Every option as JSON, under the keys that a file uses."""
    found: dict[str, Any] = {}
    for row in rows(WatcherConfig):
        value = getattr(config, row.field)
        if row.prefix:
            found.update({f"{row.name}{key}": row.kind.format(item) for key, item in value.items()})
        else:
            found[row.name] = None if value is None else row.kind.format(value)
    for stream in ("stdout_stream", "stderr_stream"):
        conf = getattr(config, stream)
        found[f"{stream}_conf"] = {key: kinds.ANYTHING.format(conf[key]) for key in conf} or None
    found.update({key: kinds.ANYTHING.format(value) for key, value in config.extra.items()})
    return dict(sorted(found.items()))


def variables_of(config: WatcherConfig) -> dict[str, str]:
    """What `$(circus.OPTION)` stands for in this watcher's command line, by lower-case name."""
    found = {
        f"circus.{key.lower()}": _as_text(value)
        for key, value in options_of(config).items()
        if not isinstance(value, dict)
    }
    for name, limit in config.rlimits.items():
        found[f"circus.rlimits.{name}"] = _as_text(kinds.format_limit(limit) or "unlimited")
    return {**found, "circus.name": config.name, "circus.use_fds": str(config.use_sockets)}


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def is_option(key: str) -> bool:
    """Whether `key` names an option of a watcher."""
    return row_of(WatcherConfig, key) is not None


def role_to_set(key: str) -> Role:
    """What it takes to set a watcher's option while circusd runs."""
    match = row_of(WatcherConfig, key)
    return Role.ADMIN if match is None else match[0].role
