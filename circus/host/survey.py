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

Where = "Callable[[str, str], str]"


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
    found: list[tuple[str, str]] = []
    for key, user, group in (("uid", config.uid, None), ("gid", None, config.gid)):
        try:
            identity.identity(user, group, () if user is not None else None)
        except SpawnError as error:
            if "no such" in str(error):
                found.append((key, str(error).partition(": ")[2] + f" {user or group!r}"))
    for group in config.supplementary_groups or ():
        try:
            identity.identity(None, group, None)
        except SpawnError:
            found.append(("supplementary_groups", f"there is no such group {group!r}"))
    for name, (soft, hard) in config.rlimits.items():
        try:
            identity.limits({name: (soft, hard)})
        except SpawnError:
            found.append((f"rlimit_{name}", "there is no such limit"))
    if config.working_dir and "$" not in config.working_dir:
        if not os.path.isdir(config.working_dir):
            found.append(("working_dir", f"{config.working_dir!r} is not a directory"))
    found += [
        ("env_file", f"{path!r} does not exist")
        for path in config.env_file
        if not path.startswith("-") and not os.path.exists(path)
    ]
    return found + _program(config)


def _program(config: WatcherConfig) -> list[tuple[str, str]]:
    if config.shell or any(mark in config.cmd for mark in ("$(", "((", "${")):
        return []
    try:
        words = shlex.split(config.executable or config.cmd)
    except ValueError as error:
        return [("cmd", f"cannot be split into words: {str(error).lower()}")]
    if not words or words[0] == "?":
        return []
    key = "executable" if config.executable else "cmd"
    path = config.env.get("PATH")
    if path is None:
        path = os.environ.get("PATH", DEFAULT_PATH) if config.copy_env else DEFAULT_PATH
    if "/" in words[0]:
        full = os.path.join(config.working_dir or "", words[0])
        if not os.path.exists(full):
            return [(key, f"{words[0]!r} does not exist")]
        if os.path.isdir(full) or not os.access(full, os.X_OK):
            return [(key, f"{words[0]!r} is not an executable file")]
        return []
    if shutil.which(words[0], path=path) is None:
        hint = (
            "" if config.copy_env or "PATH" in config.env else "; set copy_env or a PATH in [env]"
        )
        return [(key, f"{words[0]!r} is not found on the path {path}{hint}")]
    return []
