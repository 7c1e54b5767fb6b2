"""Does this machine have what the configuration names?"""

from __future__ import annotations

import dataclasses
import grp
import importlib.util
import os
import pwd
import resource
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from circus.access import EVERYBODY, Peer, role_of
from circus.config import commandline, console, variables
from circus.config.load import UNUSABLE
from circus.config.mapping import variables_of
from circus.config.schema import Problem
from circus.exc import SpawnError
from circus.host import identity, people
from circus.host.environ import Environment, read_env_file
from circus.host.spawn import DEFAULT_PATH, candidates
from circus.suggest import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from circus.config.model import CircusConfig, Config, SocketConfig, WatcherConfig

    Where = Callable[[str, str], str]

OWNERS = ("endpoint_owner", "httpd_user")
"""Options of [circus] that name a user."""


def survey_all(config: Config, where: Where) -> list[Problem]:
    """What `survey` looks at, and what the endpoints and sockets need."""
    circus = config.circus
    owners = [("circus", key, "user", getattr(circus, key)) for key in OWNERS]
    for sock in config.sockets.values():
        section = f"socket:{sock.name}"
        owners += [(section, "owner", "user", sock.owner), (section, "group", "group", sock.group)]
    return (
        survey(config.watchers.values(), where)
        + survey_access(circus, config.watchers.values(), where)
        + [
            Problem(where(section, key), f"{key}: {reason}")
            for section, key, what, name in owners
            for reason in _unknown(what, name)
        ]
        + [
            Problem(where(f"socket:{sock.name}", key), f"{key}: {reason}")
            for sock in config.sockets.values()
            for key, reason in _of_socket(sock)
        ]
    )


def _of_socket(config: SocketConfig) -> Iterator[tuple[str, str]]:
    if config.path and not os.path.isdir(folder := os.path.dirname(config.path) or "."):
        yield "path", f"{folder!r} is not a directory"
    if config.interface:  # a sandbox may let nobody look for one
        known = [name for _, name in socket.if_nameindex()]
        if config.interface not in known:
            near = suggestion(config.interface, known)
            yield "interface", f"there is no network interface {config.interface!r}{near}"


def survey_access(
    circus: CircusConfig, watchers: Iterable[WatcherConfig], where: Where
) -> list[Problem]:
    """Users and groups that are let in and that nobody knows. May block, as `survey`."""
    lists = [("circus", *one) for one in _let_in(circus, "read", "operate", "admin")]
    for watcher in watchers:
        lists += [(f"watcher:{watcher.name}", *one) for one in _let_in(watcher, "operate")]
    return [
        Problem(where(section, key), f"{key}: {reason}")
        for section, key, what, name in lists
        for reason in _unknown(what, name)
    ]


def _let_in(section: CircusConfig | WatcherConfig, *roles: str) -> Iterator[tuple[str, str, str]]:
    """Option, user or group, and name, of all that a section lets in."""
    for role in roles:
        for what in ("user", "group"):
            key = f"{role}_{what}s"
            yield from ((key, what, name) for name in getattr(section, key) if name != EVERYBODY)


def survey_console(circus: CircusConfig) -> Iterator[str]:
    """What is wrong with `httpd`, though circusd can do without it. May block."""
    if not circus.httpd:
        return
    missing = [name for name in console.NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        yield (
            f"there is no Python module {' and no '.join(missing)}; install the Debian package "
            "circus-console, or pip install 'circus[web]'"
        )
    own = os.geteuid()
    name = console.user(circus, own)
    try:
        found = identity.identity(name, None, None)
    except SpawnError as error:
        yield f"{error}, and it does not run as root; name another user with httpd_user"
        return
    uid = own if found.uid is None else found.uid
    if uid == 0:
        yield "it runs as root, and who breaks in has everything; name another user with httpd_user"
    peer = Peer(uid, found.gid, None, found.groups or (), people.user_name(uid))
    names = tuple(filter(None, map(people.group_name, peer.groups)))
    if role_of(peer._replace(group_names=names), circus, own) is None:
        yield f"it runs as {name}, who may do nothing here; name that user in operate_users"


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
    found = [*_names(config), *_limits(config)]
    directory = config.working_dir
    if directory and not os.path.isdir(directory):
        found.append(("working_dir", f"{directory!r} is not a directory"))
    for path in config.env_file:
        try:
            read_env_file(path)
        except SpawnError as error:
            found.append(("env_file", str(error).removeprefix("cannot read env_file ")))
            config = dataclasses.replace(
                config, env_file=tuple(one for one in config.env_file if one != path)
            )
    try:
        env = Environment(config).now()
    except SpawnError as error:
        found.append(("virtualenv", str(error).removeprefix("cannot use virtualenv ")))
        env = Environment(dataclasses.replace(config, virtualenv=None)).now()
    return found + _program(config, env)


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


def _limits(config: WatcherConfig) -> Iterator[tuple[str, str]]:
    """Limits that the kernel is going to refuse."""
    for name, pair in config.rlimits.items():
        try:
            ((number, _, hard),) = identity.limits({name: pair})
        except SpawnError:
            continue  # an unknown name, which is told without a look at the machine
        most = _most(number)
        if most is not None and (hard is None or hard > most):
            asked = "no limit" if hard is None else hard
            yield f"rlimit_{name}", f"{asked} is more than {most}, the most that may be had here"


def _most(number: int) -> int | None:
    """None for no end. Root may go beyond its own limit, but not beyond the kernel's."""
    most = resource.getrlimit(number)[1]
    if os.geteuid() == 0:
        if number != resource.RLIMIT_NOFILE:
            return None
        most = int(Path("/proc/sys/fs/nr_open").read_text())
    return None if most == resource.RLIM_INFINITY else most


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


def _program(config: WatcherConfig, env: Mapping[str, str]) -> list[tuple[str, str]]:
    if config.executable:
        return _on_this_machine("executable", config.executable, config.working_dir, env)
    if config.shell or config.cmd == UNUSABLE:
        return []
    names = {
        **variables.environment_names(os.environ),
        **variables_of(config),
        **variables.environment_names(env),
        **dict.fromkeys(("wid", "circus.wid"), "1"),
    }
    try:
        program, *_ = commandline.words("cmd", variables.expand(config.cmd, names)) or ("",)
    except ValueError as error:
        return [("cmd", str(error).removeprefix("cmd: "))]
    if variables.holds_any(program):
        return []  # it is told that nobody knows it
    return _on_this_machine("cmd", program, config.working_dir, env)


def _on_this_machine(
    key: str, program: str, directory: str | None, env: Mapping[str, str]
) -> list[tuple[str, str]]:
    if "/" in program:
        full = os.path.join(directory or "", program)
        if not os.path.exists(full):
            return [(key, f"{program!r} does not exist")]
        if not _is_program(full):
            return [(key, f"{program!r} is not an executable file")]
        return []
    path = env.get("PATH", DEFAULT_PATH)
    if not any(_is_program(found) for found in candidates(program, path)):
        hint = "" if "PATH" in env else "; set copy_env or a PATH in [env]"
        return [(key, f"{program!r} is not found on the path {path}{hint}")]
    return []


def _is_program(path: str) -> bool:
    return os.access(path, os.X_OK) and not os.path.isdir(path)
