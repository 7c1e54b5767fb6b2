"""What a program asks for, as objects and values, to the same `Config` that a file gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from circus.config.model import CircusConfig, Config, PluginConfig, SocketConfig, WatcherConfig
from circus.config.plugins import PREFIX, plugin_rules, watcher_options, with_plugins
from circus.config.rules import across
from circus.config.schema import Problem, nearest, read
from circus.exc import ConfigError


def assemble(
    circus: Mapping[str, object],
    watchers: Iterable[WatcherConfig],
    sockets: Iterable[SocketConfig],
    plugins: Iterable[Mapping[str, object]],
) -> Config:
    """Raises ConfigError with everything that is wrong. None stands for the default."""
    given = {key: value for key, value in circus.items() if value is not None}
    found = read(CircusConfig, given, lambda key: "")
    problems = [
        *found.problems,
        *(
            Problem("", f"unknown option {key!r}{nearest(CircusConfig, key)}")
            for key in found.extra
        ),
    ]
    config = Config(
        circus=CircusConfig(**found.values),
        watchers=_by_name("watcher", watchers, problems),
        sockets=_by_name("socket", sockets, problems),
        plugins=_by_name("plugin", _plugins(plugins, problems), problems),
    )
    problems += plugin_rules(config, lambda section, _key: section)
    problems += across(with_plugins(config), lambda section, _key: section)
    if problems:
        raise ConfigError(problems)
    return config


def _by_name(kind: str, configs: Iterable[Any], problems: list[Problem]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    twice = [
        config for config in configs if found.setdefault(config.name.lower(), config) is not config
    ]
    problems += [Problem("", f"there are two {kind}s {config.name!r}") for config in twice]
    return dict(sorted(found.items()))


def _plugins(
    plugins: Iterable[Mapping[str, object]], problems: list[Problem]
) -> Iterable[PluginConfig]:
    """Each with the dotted name of its class as `use`; it is named after that unless it says."""
    return [made for given in plugins if (made := _plugin(given, problems)) is not None]


def _plugin(given: Mapping[str, object], problems: list[Problem]) -> PluginConfig | None:
    label = given.get("name") or given.get("use")
    where = f"plugin {label!r}" if label else "plugin"
    if given.get("use") is None:
        problems.append(Problem(where, "use is missing, the dotted name of its class"))
        return None
    own = {"use": given["use"], "active": given.get("active", True)}
    found = read(PluginConfig, own, lambda key: where)
    extra = {key: str(given[key]) for key in given if key not in ("use", "name")}
    of_watcher = read(WatcherConfig, watcher_options(extra), lambda key: where)
    wrong = [*found.problems, *of_watcher.problems]
    problems += wrong
    if wrong:
        return None
    name = str(given.get("name") or "").removeprefix(PREFIX)
    name = name or found.values["use"].replace(":", ".").rpartition(".")[2]
    return PluginConfig(name=name, **found.values, options=of_watcher.values, extra=extra)
