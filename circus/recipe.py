"""A watcher's configuration turned into the order for one start."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from circus.config import envfile, variables
from circus.exc import CircusError, SpawnError
from circus.host import identity, spawn, tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.config.model import WatcherConfig
    from circus.sockets import CircusSocket


class Recipe:
    """What does not change between two starts of the same configuration is worked out once.

    Looks up users and groups when first used, which may block on a name service.
    """

    def __init__(self, config: WatcherConfig, sockets: Mapping[str, CircusSocket]) -> None:
        self._config = config
        self._sockets = sockets
        self._base_env = _base_environment(config)
        self._identity: identity.Identity | None = None
        self._limits = identity.limits(config.rlimits)

    def order(self, wid: int, mark: str, stdout: int | None, stderr: int | None) -> spawn.Order:
        """The order for worker `wid`; the descriptors stay the caller's. Raises SpawnError."""
        config = self._config
        if self._identity is None:
            self._identity = identity.identity(config.uid, config.gid, config.supplementary_groups)
        env = self._environment()
        argv = self._argv(wid, env)
        env[tree.MARK] = mark
        who = self._identity
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
            keep=tuple(self._sockets[name].fd for name in sorted(self._handed_over())),
        )

    def _stdin(self) -> int | str | None:
        name = self._config.stdin_socket
        if name is None:
            return _null_if(self._config.close_child_stdin)
        if name.lower() not in self._sockets:
            raise SpawnError(f"cannot use stdin_socket {name!r}: there is no such socket")
        return self._sockets[name.lower()].fd

    def _handed_over(self) -> set[str]:
        config = self._config
        return sockets_of(config, self._sockets) if config.use_sockets or config.sockets else set()

    def _argv(self, wid: int, env: Mapping[str, str]) -> tuple[str, ...]:
        config = self._config
        names = self._names(wid, env)
        cmd = variables.expand(config.cmd, names)
        args = _expand(config.args, names)
        if config.shell:
            return ("/bin/sh", "-c", _join(cmd, args), *_words(_expand(config.shell_args, names)))
        argv = (*_words(cmd), *_words(args))
        if not argv:
            raise SpawnError("cannot start: cmd is empty")
        return argv

    def _names(self, wid: int, env: Mapping[str, str]) -> dict[str, str]:
        names = {"wid": str(wid), "circus.wid": str(wid)}
        for name, sock in self._sockets.items():
            names[f"circus.sockets.{name}"] = str(sock.fd)
        for name, value in env.items():
            names[f"circus.env.{name.lower()}"] = value
            names[f"env.{name.lower()}"] = value
        for name in ("working_dir", "uid", "gid", "executable", "numprocesses", "priority"):
            names[f"circus.{name}"] = str(getattr(self._config, name))
        names["circus.name"] = self._config.name
        for name, (soft, _hard) in self._config.rlimits.items():
            names[f"circus.rlimits.{name}"] = "unlimited" if soft is None else str(soft)
        return names

    def _environment(self) -> dict[str, str]:
        env = dict(self._base_env)
        for path in self._config.env_file:
            env.update(_read_env_file(path))
        env.update(self._config.env)
        if self._config.copy_path:
            _prepend(env, "PYTHONPATH", [entry for entry in sys.path if entry])
        if self._config.virtualenv:
            _enter_virtualenv(env, Path(self._config.virtualenv), self._config.virtualenv_py_ver)
        return env


def sockets_of(config: WatcherConfig, declared: Mapping[str, CircusSocket]) -> set[str]:
    """The sockets a watcher is about: those it names, or all when it names none."""
    args = config.args if isinstance(config.args, str) else " ".join(config.args)
    named = {name.lower() for name in config.sockets}
    named |= variables.sockets_named(f"{config.cmd} {args}")
    if config.stdin_socket:
        named.add(config.stdin_socket.lower())
    return (named & set(declared)) or set(declared)


def _base_environment(config: WatcherConfig) -> dict[str, str]:
    return dict(os.environ) if config.copy_env else {}


def _null_if(closed: bool) -> str | None:  # noqa: FBT001 a plain fact, and the only argument
    return spawn.NULL if closed else None


def _expand(value: str | tuple[str, ...], names: Mapping[str, str]) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return variables.expand(value, names)
    return tuple(variables.expand(word, names) for word in value)


def _words(value: str | tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(value, str):
        return tuple(value)
    try:
        return tuple(shlex.split(value))
    except ValueError as error:
        raise SpawnError(f"cannot read the command {value!r}: {error}") from error


def _join(cmd: str, args: str | tuple[str, ...]) -> str:
    """One line for the shell: text as written, words of a list quoted."""
    tail = args if isinstance(args, str) else shlex.join(args)
    return f"{cmd} {tail}" if tail else cmd


def _read_env_file(path: str) -> dict[str, str]:
    optional = path.startswith("-")
    path = path.removeprefix("-")
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        if optional:
            return {}
        raise SpawnError(f"cannot read env_file {path!r}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpawnError(f"cannot read env_file {path!r}: {error}") from error
    try:
        return envfile.parse(text)
    except CircusError as error:
        raise SpawnError(f"cannot read env_file {path!r}: {error}") from error


def _prepend(env: dict[str, str], name: str, entries: list[str]) -> None:
    before = [env[name]] if env.get(name) else []
    env[name] = os.pathsep.join([*entries, *before])


def _enter_virtualenv(env: dict[str, str], root: Path, version: str | None) -> None:
    """PATH and PYTHONPATH as the virtual environment needs them. Raises SpawnError."""
    version = version or f"{sys.version_info.major}.{sys.version_info.minor}"
    tried = [root / "lib" / f"{kind}{version}" / "site-packages" for kind in ("python", "pypy")]
    packages = next((path for path in tried if path.is_dir()), None)
    if packages is None:
        places = ", ".join(str(path) for path in tried)
        raise SpawnError(f"cannot use virtualenv {str(root)!r}: none of {places} exists")
    linked = [
        line.strip()
        for pth in sorted(packages.glob("*.pth"))
        for line in pth.read_text(encoding="utf-8", errors="replace").splitlines()
        if os.path.exists(line.strip())
    ]
    previous = [env["PYTHONPATH"]] if env.get("PYTHONPATH") else []
    env["PYTHONPATH"] = os.pathsep.join([*linked, *previous, str(packages)])
    _prepend(env, "PATH", [str(root / "bin")])
