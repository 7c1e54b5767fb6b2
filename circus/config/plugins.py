"""Plugins as the watchers that run them: `[plugin:NAME]` is a process of watcher `plugin:NAME`."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import TYPE_CHECKING

from circus.config import beside
from circus.config.model import WatcherConfig
from circus.config.rules import watcher_rules
from circus.config.schema import Problem, differing, rows
from circus.endpoints import reachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from circus.config.model import Config, PluginConfig

    Where = Callable[[str, str], str]

PREFIX = "plugin:"
"""What the name of such a watcher begins with."""
OPTIONS = "CIRCUS_PLUGIN"
"""The variable that has a plugin's options as JSON: unlike a command line, it is nobody else's to
read, and nothing in it has to be quoted."""
FOUND = "found"
"""What a process that only imports a plugin's class says when that went well."""
PYTHON = "python3"
OF_CIRCUSD = ("check_delay", "ssh_server", "debug")
"""Options of [circus] that a plugin is told."""
NOT_ITS_OWN = ("cmd", "args", "executable", "shell", "shell_args", "env")
"""Options of a watcher that a plugin only gets as any other key: they are for us to say."""


def unquoted(value: object) -> str:
    """Without a pair of quotes around the whole, which circus 0.19 took for the shell's."""
    text = str(value)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text


def watcher_options(given: Mapping[str, str]) -> dict[str, object]:
    """Those keys of a plugin that are options of the watcher that runs it, too.

    By their present names: an old spelling is the name of something else in a plugin.
    """
    names = {row.name for row in rows(WatcherConfig) if not row.prefix}
    families = tuple(row.name for row in rows(WatcherConfig) if row.prefix)
    return {
        key: value
        for key, value in given.items()
        if key not in NOT_ITS_OWN and (key in names or key.startswith(families))
    }


def with_plugins(
    config: Config, endpoint: str = "", pubsub_endpoint: str = "", python: str = PYTHON
) -> Config:
    """The same with a watcher for each plugin that is active; `python` runs them.

    Without endpoints they can only be looked at.
    """
    made = {
        f"{PREFIX}{name}": plugin_watcher(plugin, config, endpoint, pubsub_endpoint, python)
        for name, plugin in config.plugins.items()
        if plugin.active
    }
    if not made:
        return config
    watchers = dict(sorted({**config.watchers, **made}.items()))
    return dataclasses.replace(config, watchers=watchers)


def plugin_watcher(
    plugin: PluginConfig, config: Config, endpoint: str, pubsub_endpoint: str, python: str
) -> WatcherConfig:
    """The watcher of one plugin, which reaches circusd at these endpoints as any client does."""
    name = f"{PREFIX}{plugin.name}"
    command = (
        # -P: what lies in the current folder is not to come before what is installed
        *("-P", "-m", "circus.plugins"),
        *("--endpoint", reachable(endpoint)),
        *("--pubsub", reachable(pubsub_endpoint)),
        *("--check-delay", f"{config.circus.check_delay:g}"),
        *beside.arguments(config.circus),
        *(() if config.path is None else ("--path", os.path.dirname(config.path))),
        plugin.use,
    )
    options = {"priority": 1, **beside.options(config.circus), **plugin.options}
    return WatcherConfig(
        name=name,
        cmd=python,
        args=command,
        env={OPTIONS: json.dumps({**plugin.extra, "name": name}, sort_keys=True)},
        **options,
    )


def plugin_rules(config: Config, where: Where) -> Iterator[Problem]:
    """What is wrong with plugins, taken as the watchers that they are."""
    for key, plugin in config.plugins.items():
        section = f"{PREFIX}{plugin.name}"
        if f"{PREFIX}{key}" in config.watchers:
            say = f"there is a [watcher:{section}], which is what this plugin's process is called"
            yield Problem(where(section, ""), say)
        for option, say in watcher_rules(plugin_watcher(plugin, config, "", "", PYTHON)):
            yield Problem(where(section, option), say)


def plugin_reasons(
    before: Config, after: Config, name: str, reasons: Sequence[str]
) -> tuple[str, ...]:
    """Why a plugin's watcher is another one, in the words of the files' sections."""
    one, other = before.plugins[name], after.plugins[name]
    keys = {"use", *one.extra, *other.extra}
    found = [key for key in differing(one, other) if key in keys]
    for reason in reasons:
        if reason == "args":  # the class, or what is told of circusd
            found += [key for key in differing(before.circus, after.circus) if key in OF_CIRCUSD]
        elif reason != f"env.{OPTIONS}":
            found.append(reason)
    return tuple(dict.fromkeys(found))
