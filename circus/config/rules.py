"""What has to hold between sections."""

from __future__ import annotations

from collections.abc import Callable

from circus.config.model import Config, WatcherConfig
from circus.config.schema import Problem, suggestion
from circus.config.variables import sockets_named
from circus.core.graph import find_cycle


def across(config: Config, where: Callable[[str, str], str]) -> list[Problem]:
    """Sockets that nobody declares, watchers that do not exist, loops."""
    problems: list[Problem] = []
    for watcher in config.watchers.values():
        section = f"watcher:{watcher.name}"
        for key, name in _sockets(watcher):
            if name.lower() not in config.sockets:
                near = suggestion(name.lower(), config.sockets)
                problems.append(
                    Problem(where(section, key), f"{key}: nobody declares [socket:{name}]{near}")
                )
        for key in ("after", "requires"):
            for name in getattr(watcher, key):
                if name.lower() not in config.watchers:
                    near = suggestion(name.lower(), config.watchers)
                    problems.append(
                        Problem(where(section, key), f"{key}: there is no watcher {name!r}{near}")
                    )
    return problems + _loops(config, where)


def _sockets(watcher: WatcherConfig) -> list[tuple[str, str]]:
    found = [("sockets", name) for name in watcher.sockets]
    if watcher.stdin_socket:
        found.append(("stdin_socket", watcher.stdin_socket))
    for key in ("cmd", "args"):
        text = getattr(watcher, key)
        text = text if isinstance(text, str) else " ".join(text)
        found += [(key, name) for name in sorted(sockets_named(text))]
    return found


def _loops(config: Config, where: Callable[[str, str], str]) -> list[Problem]:
    edges = {
        name: [need.lower() for need in (*one.after, *one.requires)]
        for name, one in config.watchers.items()
    }
    loop = find_cycle(edges)
    if loop is None:
        return []
    first = config.watchers[loop[0]]
    key = "after" if loop[1] in {need.lower() for need in first.after} else "requires"
    names = " -> ".join(config.watchers[name].name for name in loop)
    return [Problem(where(f"watcher:{first.name}", key), f"{key}: a dependency loop: {names}")]
