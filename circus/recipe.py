"""A watcher's configuration turned into the order for one start."""

from __future__ import annotations

import os
from collections import ChainMap
from typing import TYPE_CHECKING

from circus.config import commandline, variables
from circus.config.model import variables_of
from circus.exc import SpawnError
from circus.host import identity, spawn, tree
from circus.host.environ import Environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.config.model import WatcherConfig
    from circus.sockets import CircusSocket


class Recipe:
    """What does not change between two starts of the same configuration is worked out once.

    Making one looks up users and groups, which may block on a name service; it raises SpawnError.
    """

    def __init__(self, config: WatcherConfig, sockets: Mapping[str, CircusSocket]) -> None:
        self._config = config
        self._sockets = sockets
        self._identity = identity.identity(config.uid, config.gid, config.supplementary_groups)
        self._limits = identity.limits(config.rlimits)
        self._environment = Environment(config)
        self._argv: tuple[str, ...] | None = None
        self._names: ChainMap[str, str] | None = None
        """What variables stand for, but for the number of the worker."""
        if not any(variables.holds_any(text) for _, text in commandline.texts(config)):
            self._argv = _words(config, {})

    def order(self, wid: int, mark: str, stdout: int | None, stderr: int | None) -> spawn.Order:
        """The order for worker `wid`; the descriptors stay the caller's. Raises SpawnError."""
        config, who = self._config, self._identity
        env = self._environment.now()
        argv = self._argv or _words(config, self._known(wid, env))
        env[tree.MARK] = mark
        return spawn.Order(
            file=config.executable or argv[0],
            argv=argv,
            env=env,
            directory=config.working_dir,
            uid=who.uid,
            gid=who.gid,
            groups=who.groups,
            limits=self._limits,
            umask=config.umask,
            nice=config.nice,
            no_new_privileges=config.no_new_privileges,
            parent_death_signal=config.parent_death_signal,
            stdin=self._stdin(),
            stdout=stdout if stdout is not None else _null_if(config.close_child_stdout),
            stderr=stderr if stderr is not None else _null_if(config.close_child_stderr),
            keep=self._handed_over(),
        )

    def _stdin(self) -> int | str | None:
        name = self._config.stdin_socket
        if name is None:
            return _null_if(self._config.close_child_stdin)
        if name.lower() not in self._sockets:
            raise SpawnError(f"cannot use stdin_socket {name!r}: there is no such socket")
        return self._sockets[name.lower()].fd

    def _handed_over(self) -> tuple[int, ...]:
        config = self._config
        if not config.use_sockets and not config.sockets:
            return ()
        return tuple(self._sockets[name].fd for name in sorted(sockets_of(config, self._sockets)))

    def _known(self, wid: int, env: Mapping[str, str]) -> ChainMap[str, str]:
        """What variables stand for in this start; of the environment what the worker has first."""
        if self._names is None or not self._environment.same:
            self._names = ChainMap(
                variables.environment_names(env),
                variables_of(self._config),
                variables.environment_names(os.environ),
            )
        fresh = {variables.SOCKETS + name: str(one.fd) for name, one in self._sockets.items()}
        fresh["wid"] = fresh["circus.wid"] = str(wid)
        return self._names.new_child(fresh)


def sockets_of(config: WatcherConfig, declared: Mapping[str, CircusSocket]) -> set[str]:
    """The sockets a watcher is about: those it names, or all when it names none."""
    named = {name.lower() for name in config.sockets}
    for _, text in commandline.texts(config):
        named |= variables.sockets_named(text)
    if config.stdin_socket:
        named.add(config.stdin_socket.lower())
    return (named & set(declared)) or set(declared)


def _words(config: WatcherConfig, names: Mapping[str, str]) -> tuple[str, ...]:
    try:
        return commandline.argv(config, names)
    except ValueError as error:
        raise SpawnError(f"cannot start: {error}") from error


def _null_if(closed: bool) -> str | None:  # noqa: FBT001 a plain fact, and the only argument
    return spawn.NULL if closed else None
