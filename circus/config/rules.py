"""Every rule about more than one option: what has to hold within a watcher and between sections."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from circus.config import commandline
from circus.config.asked import naming, waited_for
from circus.config.schema import Problem, rows
from circus.core.graph import find_cycle
from circus.suggest import suggestion

if TYPE_CHECKING:
    from circus.config.asked import Declared
    from circus.config.model import Config, SocketConfig, WatcherConfig

    Where = Callable[[str, str], str]

HOOKS = (
    "before_start", "after_start", "before_stop", "after_stop", "before_spawn", "after_spawn",
    "before_signal", "after_signal", "before_reap", "after_reap", "extended_stats",
)  # fmt: skip
LIMITS = tuple(
    name.removeprefix("RLIMIT_").lower() for name in dir(resource) if name.startswith("RLIMIT_")
)

SOCKET_PATH = 107
"""Bytes that the kernel takes for the path of a socket."""


def unfit_name(kind: str, name: str) -> str | None:
    """Why a watcher, socket or plugin cannot be called that, if it cannot."""
    if not name.strip():
        return f"a {kind} needs a name"
    if not name.isprintable():
        return f"the name {name!r} of a {kind} has characters that cannot be shown"
    return None


def watcher_rules(config: WatcherConfig) -> list[tuple[str, str]]:
    """What does not go together within one watcher: (option, what is wrong)."""
    found = []
    if config.singleton and config.numprocesses > 1:
        found.append(("numprocesses", "a singleton cannot have numprocesses above 1"))
    if config.copy_path and not config.copy_env:
        found.append(("copy_path", "copy_path needs copy_env = True"))
    if config.virtualenv and not config.copy_env:
        found.append(("virtualenv", "virtualenv needs copy_env = True"))
    found += _unknown("hooks.", "hook", config.hooks, HOOKS)
    found += _unknown("rlimit_", "limit", config.rlimits, LIMITS)
    for stream in ("stdout_stream", "stderr_stream"):
        conf = getattr(config, stream)
        if conf and not {"class", "filename", "stream"} & set(conf):
            found.append((f"{stream}.{next(iter(conf))}", f"{stream} needs a class or a filename"))
    return found + _unreadable(config)


def _unknown(
    prefix: str, what: str, names: Iterable[str], known: tuple[str, ...]
) -> list[tuple[str, str]]:
    return [
        (f"{prefix}{name}", f"unknown {what} {name!r}{suggestion(name, known)}")
        for name in names
        if name not in known
    ]


def _unreadable(config: WatcherConfig) -> list[tuple[str, str]]:
    """Command lines that cannot be split into words; those of a shell are its own affair."""
    found = []
    for key in ("shell_args",) if config.shell else ("cmd", "args"):
        try:
            commandline.words(key, getattr(config, key))
        except ValueError as error:
            found.append((key, str(error)))
    return found


def socket_rules(config: SocketConfig) -> list[tuple[str, str]]:
    """What does not go together within one socket: (option, what is wrong)."""
    path = config.path or ""
    unix = bool(path) or config.family == "AF_UNIX"
    length = len(path.encode("utf-8", "surrogateescape"))
    rules = (
        ("family", unix and not path, "AF_UNIX needs a path"),
        ("path", length > SOCKET_PATH, f"{length} bytes are too many, it may have {SOCKET_PATH}"),
        ("type", config.type == "SOCK_RDM", "no family of sockets has SOCK_RDM"),
        ("type", config.type == "SOCK_RAW" and not unix and not config.proto,
            "SOCK_RAW needs a proto"),
        ("interface", unix and config.interface, "a path is on no network interface"),
        ("so_reuseport", unix and config.so_reuseport, "a path belongs to one socket only"),
        ("port", config.so_reuseport and not config.port and config.type != "SOCK_STREAM",
            "with so_reuseport each worker would get another port"),
        *((key, not unix and getattr(config, key) is not None, "only a path has one")
            for key in ("owner", "group", "mode")),
    )  # fmt: skip
    if config.activated:
        return [(key, "the socket unit of systemd says this") for key in _own_address(config)]
    return [(key, message) for key, wrong, message in rules if wrong]


def _own_address(config: SocketConfig) -> list[str]:
    """Options that say where a socket is and what it is like, and are not left out."""
    free = ("activated", "blocking")
    said = [row for row in rows(type(config)) if getattr(config, row.field) != row.default]
    return [row.name for row in said if row.name not in free]


def across(config: Config, where: Where) -> list[Problem]:
    """Sockets that nobody declares or that have one path, watchers that do not exist, loops."""
    problems: list[Problem] = []
    for watcher in config.watchers.values():
        for key, message in (*sockets_rules(watcher, config.sockets), *_needs(watcher, config)):
            problems.append(Problem(where(f"watcher:{watcher.name}", key), f"{key}: {message}"))
    for sock in config.sockets.values():
        problems += [
            Problem(where(f"socket:{sock.name}", key), f"{key}: {message}")
            for key, message in socket_rules(sock)
        ]
    return [*problems, *_shared_paths(config, where), *_loops(config, where)]


def _shared_paths(config: Config, where: Where) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for sock in config.sockets.values():
        owner = owners.setdefault(sock.path, sock.name) if sock.path else sock.name
        if owner != sock.name:
            say = f"path: socket {owner!r} has the same"
            yield Problem(where(f"socket:{sock.name}", "path"), say)


def sockets_rules(
    watcher: WatcherConfig, declared: Mapping[str, Declared]
) -> Iterator[tuple[str, str]]:
    """What is wrong with the sockets that a watcher asks for: (option, what is wrong)."""
    wanted = list(naming(watcher))
    if watcher.stdin_socket:
        wanted.append(("stdin_socket", watcher.stdin_socket))
    for key, name in wanted:
        if name.lower() not in declared:
            near = suggestion(name.lower(), declared)
            yield key, f"nobody declares [socket:{name}]{near}"
    if not watcher.on_demand:
        return
    if not declared:
        yield "on_demand", "there is no socket to wait for"
    elif not waited_for(watcher, declared):
        yield "on_demand", "with so_reuseport nobody listens before it is started"


def _needs(watcher: WatcherConfig, config: Config) -> Iterator[tuple[str, str]]:
    for key in ("after", "requires"):
        for name in getattr(watcher, key):
            if name.lower() not in config.watchers:
                near = suggestion(name.lower(), config.watchers)
                yield key, f"there is no watcher {name!r}{near}"


def _loops(config: Config, where: Where) -> list[Problem]:
    edges = {
        name: [need.lower() for need in (*one.after, *one.requires)]
        for name, one in config.watchers.items()
    }
    problems: list[Problem] = []
    while (loop := find_cycle(edges)) is not None:
        first = config.watchers[loop[0]]
        key = "after" if loop[1] in {need.lower() for need in first.after} else "requires"
        names = " -> ".join(config.watchers[name].name for name in loop)
        place = where(f"watcher:{first.name}", key)
        problems.append(Problem(place, f"{key}: a dependency loop: {names}"))
        # broken here, so that the search finds the next one
        edges[loop[0]] = [need for need in edges[loop[0]] if need != loop[1]]
    return problems
