"""Does this machine have what the configuration names?"""

from __future__ import annotations

import os
import shlex
import shutil
from typing import TYPE_CHECKING

from circus.config.schema import Problem
from circus.exc import SpawnError
from circus.host import identity
from circus.host.spawn import DEFAULT_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from circus.config.model import WatcherConfig


def survey(watchers: Iterable[WatcherConfig], where: Callable[[str, str], str]) -> list[Problem]:
    """Users, groups, limits, programs, directories and files that are not there.

    `where` says where an option of a section was written. Reads the file system and the user
    database, so it may block.
    """
    problems: list[Problem] = []
    for config in watchers:
        section = f"watcher:{config.name}"
        problems += [
            Problem(where(section, key), f"{key}: {message}") for key, message in _look(config)
        ]
    return problems


def _look(config: WatcherConfig) -> list[tuple[str, str]]:
    found = _names(config)
    directory = config.working_dir
    if directory and "$" not in directory and not os.path.isdir(directory):
        found.append(("working_dir", f"{directory!r} is not a directory"))
    found += [
        ("env_file", f"{path!r} does not exist")
        for path in config.env_file
        if not path.startswith("-") and not os.path.exists(path)
    ]
    return found + _program(config)


def _names(config: WatcherConfig) -> list[tuple[str, str]]:
    """Users, groups and limits that nobody knows."""
    checks: list[tuple[str, Callable[[], object]]] = []
    if config.uid is not None:
        checks.append(("uid", lambda: identity.identity(config.uid, 0, ())))
    if config.gid is not None:
        checks.append(("gid", lambda: identity.identity(None, config.gid, ())))
    checks.append(
        ("supplementary_groups", lambda: identity.identity(None, 0, config.supplementary_groups))
    )
    checks += [
        (f"rlimit_{name}", lambda name=name: identity.limits({name: (0, 0)}))  # type: ignore[misc]  # mypy knows no defaults of a lambda
        for name in config.rlimits
    ]
    found = []
    for key, check in checks:
        try:
            check()
        except SpawnError as error:
            found.append((key, str(error).partition(": ")[2]))
    return found


def _program(config: WatcherConfig) -> list[tuple[str, str]]:
    if config.shell or any(mark in config.cmd for mark in ("$(", "((", "${")):
        return []
    try:
        words = shlex.split(config.executable or config.cmd)
    except ValueError as error:
        return [("cmd", f"cannot be split into words: {str(error).lower()}")]
    if not words or words[0] == "?":
        return []
    return _on_this_machine(config, words[0])


def _on_this_machine(config: WatcherConfig, program: str) -> list[tuple[str, str]]:
    key = "executable" if config.executable else "cmd"
    if "/" in program:
        full = os.path.join(config.working_dir or "", program)
        if not os.path.exists(full):
            return [(key, f"{program!r} does not exist")]
        if os.path.isdir(full) or not os.access(full, os.X_OK):
            return [(key, f"{program!r} is not an executable file")]
        return []
    path = config.env.get("PATH")
    if path is None:
        path = os.environ.get("PATH", DEFAULT_PATH) if config.copy_env else DEFAULT_PATH
    if shutil.which(program, path=path) is None:
        hint = (
            "" if config.copy_env or "PATH" in config.env else "; set copy_env or a PATH in [env]"
        )
        return [(key, f"{program!r} is not found on the path {path}{hint}")]
    return []
