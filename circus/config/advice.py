"""What works but cannot be meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from circus.config import commandline
from circus.config.mapping import variables_of
from circus.config.schema import Problem
from circus.config.variables import SOCKETS, environment_names, named
from circus.suggest import suggestion

if TYPE_CHECKING:
    from circus.config.model import CircusConfig, Config, PluginConfig, WatcherConfig

    Where = Callable[[str, str], str]


def advice(config: Config, where: Where) -> list[Problem]:
    """What is odd about watchers and plugins."""
    found = [
        Problem(where(f"watcher:{watcher.name}", key), f"{key}: {say}")
        for watcher in config.watchers.values()
        for key, say in _ignored(watcher)
    ]
    return found + [
        Problem(where(f"plugin:{plugin.name}", ""), f"[plugin:{plugin.name}] {say}")
        for plugin in config.plugins.values()
        for say in _locked_out(plugin, config.circus)
    ]


def _locked_out(plugin: PluginConfig, circus: CircusConfig) -> Iterator[str]:
    at = (circus.endpoint, circus.pubsub_endpoint)
    tcp = any(endpoint is not None and endpoint.startswith("tcp:") for endpoint in at)
    if circus.curve and tcp and plugin.active and "curve_key" not in plugin.extra:
        yield "has no curve_key: circusd lets only who has a key in, also its plugins"


def old_spellings(config: Config, where: Where) -> list[Problem]:
    """What is understood for the sake of old files."""
    return [
        Problem(where(f"watcher:{watcher.name}", key), f"{key}: $WID is now spelled $(circus.wid)")
        for watcher in config.watchers.values()
        for key, text in commandline.texts(watcher)
        if "$WID" in (written for written, _ in named(text))
    ]


def _ignored(watcher: WatcherConfig) -> Iterator[tuple[str, str]]:
    """(option, what is odd)."""
    if watcher.shell_args and not watcher.shell:
        yield "shell_args", "it is ignored without shell = True"
    for stream in ("stdout", "stderr"):
        conf = getattr(watcher, f"{stream}_stream")
        closed = f"close_child_{stream}"
        if conf and getattr(watcher, closed):
            yield closed, f"it has no effect, the output goes to {stream}_stream"
    most = watcher.backoff_max
    # a backoff_max below the delay that nobody has asked for means what it says
    asked = watcher.backoff_delay != type(watcher).backoff_delay
    if asked and watcher.backoff_delay > most and not watcher.on_demand:
        yield "backoff_delay", f"no wait is longer than backoff_max, {most:g} s; raise that too"


def unknown_variables(
    config: Config, where: Where, environment: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Variables of command lines that nobody knows: where, what, what was meant.

    `environment` are the names of our own variables.
    """
    for watcher in config.watchers.values():
        found = [(key, *one) for key, text in commandline.texts(watcher) for one in named(text)]
        known = _known(watcher, environment) if found else set()
        for key, written, name in found:
            later = name.startswith(SOCKETS) or (watcher.env_file and ".env." in name)
            if name not in known and not later:
                say = f"{key}: nothing is known as {written}, it stays as it is"
                yield where(f"watcher:{watcher.name}", key), say, suggestion(name, known)


def _known(watcher: WatcherConfig, environment: Mapping[str, str]) -> set[str]:
    names = {"wid", "circus.wid", *variables_of(watcher)}
    return names | {*environment, *environment_names(watcher.env)}
