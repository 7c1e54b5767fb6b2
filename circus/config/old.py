"""What programs for circus 0.19 call to read a file; nothing of ours does."""

from __future__ import annotations

import configparser
import os
import resource
from collections.abc import Callable, Mapping
from typing import Any

from circus.config.load import load
from circus.config.model import PluginConfig, SocketConfig, WatcherConfig
from circus.config.schema import rows


def get_config(config_file: str) -> dict[str, Any]:
    """Everything that a file asks for: the options of `[circus]`, and lists of mappings.

    What stands in `watchers` can be given to `get_arbiter`. Raises ConfigError.
    """
    config = load(config_file, os.environ).config
    return {
        **_options(config.circus),
        "watchers": [_named("watcher", one) for one in config.watchers.values()],
        "sockets": [_named("socket", one) for one in config.sockets.values()],
        "plugins": [_plugin(one) for one in config.plugins.values()],
    }


def watcher_defaults() -> dict[str, Any]:
    """What each option of a watcher is unless it is given."""
    found = _options(WatcherConfig(name="", cmd=""))
    del found["cmd"]
    return found


def rlimit_value(value: str | int | None) -> int:
    """A limit as the kernel has it; none at all for `unlimited`. Raises ValueError."""
    if value is None or str(value).strip().lower() in ("", "unlimited", "infinity"):
        return resource.RLIM_INFINITY
    return int(value)


class DefaultConfigParser(configparser.RawConfigParser):
    """Python's reader of ini files, for sections that are a program's own."""

    def optionxform(self, optionstr: str) -> str:
        """Options keep their case."""
        return optionstr

    def dget(
        self,
        section: str,
        option: str,
        default: Any = None,
        type: Callable[[str], Any] = str,
    ) -> Any:
        """An option as `type` makes it, or the default when it is not there."""
        if not self.has_option(section, option):
            return default
        return type(self.get(section, option))


def _options(config: object) -> dict[str, Any]:
    found = {}
    for row in rows(type(config)):
        value = getattr(config, row.field)
        name = row.field if row.prefix else row.name
        found[name] = dict(value) if isinstance(value, Mapping) else value
    return found


def _named(kind: str, config: WatcherConfig | SocketConfig) -> dict[str, Any]:
    name = config.name
    return {"__name__": f"{kind}:{name}", "name": name, **_options(config), **config.extra}


def _plugin(config: PluginConfig) -> dict[str, Any]:
    return {"name": config.name, "use": config.use, **config.extra}
