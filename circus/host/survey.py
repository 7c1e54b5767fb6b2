"""Does this machine have what the configuration names?"""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import shutil
from typing import TYPE_CHECKING

from circus.config.schema import Problem, suggestion
from circus.exc import SpawnError
from circus.host import identity
from circus.host.spawn import DEFAULT_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from circus.config.model import Config, WatcherConfig

    Where = Callable[[str, str], str]


def survey_all(config: Config, where: Where) -> list[Problem]:
    """What `survey` looks at, and the owners of the endpoints and sockets."""
    owners = [("circus", "endpoint_owner", "user", config.circus.endpoint_owner)]
    for sock in config.sockets.values():
        section = f"socket:{sock.name}"
        owners += [(section, "owner", "user", sock.owner), (section, "group", "group", sock.group)]
    return survey(config.watchers.values(), where) + [
        Problem(where(section, key), f"{key}: {reason}")
        for section, key, what, name in owners
        for reason in _unknown(what, name)
    ]


def survey(watchers: Iterable[WatcherConfig], where: Where) -> list[Problem]:
    """Users, groups, programs, directories and files that are not there.

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
    """Users and groups that nobody knows."""
    wanted = [("uid", "user", config.uid), ("gid", "group", config.gid)]
    groups = config.supplementary_groups or ()
    wanted += [("supplementary_groups", "group", group) for group in groups]
    found = [(key, reason) for key, what, name in wanted for reason in _unknown(what, name)]
    if not found:
        try:
            identity.identity(config.uid, config.gid, config.supplementary_groups)
        except SpawnError as error:
            found.append(("uid", str(error)))
    return found


def _unknown(what: str, name: str | int | None) -> Iterator[str]:
    """What is wrong with a user or group, if anything."""
    if name is None:
        return
    try:
        if what == "user":
            identity.identity(name, 0, ())
        else:
            identity.identity(None, name, ())
    except SpawnError:
        users = what == "user"
        known = (one[0] for one in (pwd.getpwall() if users else grp.getgrall()))
        yield f"there is no {what} {name!r}{suggestion(str(name), known)}"


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
