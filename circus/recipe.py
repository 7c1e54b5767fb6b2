"""A watcher's configuration turned into the order for one start."""

from __future__ import annotations

import contextlib
import os
from collections import ChainMap
from types import MappingProxyType
from typing import TYPE_CHECKING

from circus.config import commandline, variables
from circus.config.asked import handed_over, naming, told_by_number, used
from circus.config.mapping import variables_of
from circus.exc import SpawnError
from circus.host import identity, spawn, tree
from circus.host.environ import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from circus.config.model import WatcherConfig
    from circus.listener import CircusSocket

FIRST = 3
"""Where the sockets begin that a worker is given: SD_LISTEN_FDS_START of sd_listen_fds(3)."""


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
        self._env_with_sockets = [
            (key, text) for key, text in config.env.items() if variables.sockets_named(text)
        ]
        self._told_by_number = told_by_number(config)
        self._gets_all = config.use_sockets and not any(naming(config))
        self._argv: tuple[str, ...] | None = None
        self._names: ChainMap[str, str] | None = None
        """What variables stand for, but for the number of the worker."""
        if not any(variables.holds_any(text) for _, text in commandline.texts(config)):
            self._argv = _words(config, {})

    @contextlib.contextmanager
    def own_sockets(self) -> Iterator[dict[str, int]]:
        """The descriptors that only this worker is to have, to be given to `order`.

        They are closed at the end, when the worker has them. Raises CircusError.
        """
        with contextlib.ExitStack() as stack:
            yield {
                name: stack.enter_context(sock.another()).fileno()
                for name in used(self._config, self._sockets)
                if (sock := self._sockets.get(name)) is not None and sock.so_reuseport
            }

    def order(
        self,
        wid: int,
        mark: str,
        stdout: int | None,
        stderr: int | None,
        own: Mapping[str, int] = MappingProxyType({}),
        *,
        cgroup_procs: str | None = None,
    ) -> spawn.Order:
        """The order for worker `wid`; the descriptors stay the caller's. Raises SpawnError."""
        config, who = self._config, self._identity
        env = self._environment.now()
        numbers, more = self._numbers()
        if numbers:
            self._tell_sockets(env, numbers)
        argv = self._argv or _words(config, self._known(wid, env, numbers))
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
            cgroup_procs=cgroup_procs,
            stdin=self._stdin(own),
            stdout=stdout if stdout is not None else _null_if(config.close_child_stdout),
            stderr=stderr if stderr is not None else _null_if(config.close_child_stderr),
            handed=tuple(
                (self._descriptor(name, own), number)
                for name, number in (*numbers.items(), *more.items())
            ),
        )

    def _stdin(self, own: Mapping[str, int]) -> int | str | None:
        name = self._config.stdin_socket
        if name is None:
            return _null_if(self._config.close_child_stdin)
        return self._descriptor(name.lower(), own)

    def _descriptor(self, name: str, own: Mapping[str, int]) -> int:
        if name in own:
            return own[name]
        if name not in self._sockets:
            raise SpawnError(f"cannot hand socket {name!r} over: there is no such socket")
        return self._sockets[name].fd

    def _numbers(self) -> tuple[dict[str, int], dict[str, int]]:
        """Under which numbers the worker finds its sockets; of some a second one.

        One that names its sockets has them in that order. One that gets all may look for them
        under the numbers that `listsockets` tells, as circusd-stats of circus 0.19 does.
        """
        names = handed_over(self._config, self._sockets)
        more: dict[str, int] = {}
        if self._gets_all:
            told = {name: self._sockets[name].fd for name in names}
            names = _as_told(names, told)
            more = {name: fd for name, fd in told.items() if fd >= FIRST + len(names)}
        return {name: number for number, name in enumerate(names, FIRST)}, more

    def _tell_sockets(self, env: dict[str, str], numbers: Mapping[str, int]) -> None:
        """As systemd does, and in values that have a variable for it; LISTEN_PID comes later.

        Nobody is told twice: gunicorn would open what is in both, and fail.
        """
        announced = [name for name in numbers if name not in self._told_by_number]
        if announced:
            env["LISTEN_FDS"] = str(len(announced))
            env["LISTEN_FDNAMES"] = ":".join(name.replace(":", "_") for name in announced)
        names = _names_of(numbers)
        for key, text in self._env_with_sockets:
            if env.get(key) == text:
                env[key] = variables.expand(text, names)

    def _known(
        self, wid: int, env: Mapping[str, str], numbers: Mapping[str, int]
    ) -> ChainMap[str, str]:
        """What variables stand for in this start; of the environment what the worker has first."""
        if self._names is None or not self._environment.same:
            self._names = ChainMap(
                variables.environment_names(env),
                variables_of(self._config),
                variables.environment_names(os.environ),
            )
        fresh = {**_names_of(numbers), "wid": str(wid), "circus.wid": str(wid)}
        return self._names.new_child(fresh)


def _as_told(names: Sequence[str], told: Mapping[str, int]) -> tuple[str, ...]:
    """In an order in which each stands at the number that is told of it, if it is one of these."""
    numbers = range(FIRST, FIRST + len(names))
    there = {fd: name for name, fd in told.items() if fd in numbers}
    rest = iter([name for name in names if told[name] not in numbers])
    return tuple(there.get(number) or next(rest) for number in numbers)


def _names_of(numbers: Mapping[str, int]) -> dict[str, str]:
    return {variables.SOCKETS + name: str(number) for name, number in numbers.items()}


def _words(config: WatcherConfig, names: Mapping[str, str]) -> tuple[str, ...]:
    try:
        return commandline.argv(config, names)
    except ValueError as error:
        raise SpawnError(f"cannot start: {error}") from error


def _null_if(closed: bool) -> str | None:  # noqa: FBT001 a plain fact, and the only argument
    return spawn.NULL if closed else None
