"""What a watcher's workers find in their environment.

Weakest first: circusd's own with `copy_env`, the variables of the configuration, the files of
`env_file` (in systemd's order). `copy_path` and `virtualenv` put theirs in front of what is there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from circus.config import envfile
from circus.exc import ConfigError, SpawnError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.config.model import WatcherConfig


class Environment:
    """Only the files of `env_file` are read at every start; all else is worked out once.

    Making one and asking it raise SpawnError when something is not there.
    """

    def __init__(self, config: WatcherConfig) -> None:
        self._config = config
        self._base = dict(os.environ) if config.copy_env else {}
        self._modules = [entry for entry in sys.path if entry] if config.copy_path else []
        self._virtualenv = _virtualenv(config)
        self._parsed: dict[str, tuple[bytes, Mapping[str, str]]] = {}
        """What each file held last, so that one that is the same is not parsed again."""
        self._same = None if config.env_file else self._combined({})

    @property
    def same(self) -> bool:
        """Whether every start has the same one."""
        return self._same is not None

    def now(self) -> dict[str, str]:
        """A new mapping for one start. Reads files, so it may block."""
        if self._same is not None:
            return dict(self._same)
        found: dict[str, str] = {}
        for path in self._config.env_file:
            found.update(self._read(path))
        return self._combined(found)

    def _read(self, path: str) -> Mapping[str, str]:
        text = _text_of(path)
        before = self._parsed.get(path)
        if before is None or before[0] != text:
            self._parsed[path] = before = (text, _parse(path, text))
        return before[1]

    def _combined(self, from_files: Mapping[str, str]) -> dict[str, str]:
        env = {**self._base, **self._config.env, **from_files}
        _prepend(env, "PYTHONPATH", self._modules)
        if self._virtualenv is not None:
            binaries, linked, packages = self._virtualenv
            _prepend(env, "PYTHONPATH", linked)
            env["PYTHONPATH"] = os.pathsep.join(filter(None, [env.get("PYTHONPATH"), packages]))
            _prepend(env, "PATH", [binaries])
        return env


def read_env_file(path: str) -> Mapping[str, str]:
    """The variables of one file; none when it is missing and a `-` stands before its path."""
    return _parse(path, _text_of(path))


def _text_of(path: str) -> bytes:
    try:
        return Path(path.removeprefix("-")).read_bytes()
    except FileNotFoundError:
        if path.startswith("-"):
            return b""
        raise _unusable(path, "no such file") from None
    except (OSError, ValueError) as error:
        raise _unusable(path, getattr(error, "strerror", None) or str(error)) from error


def _parse(path: str, text: bytes) -> Mapping[str, str]:
    try:
        return envfile.parse(text.decode())
    except ConfigError as error:
        raise _unusable(path, "; ".join(map(str, error.problems))) from error
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        reason = f"line {line}: byte 0x{text[error.start]:02x} is not UTF-8 text"
        raise _unusable(path, reason) from error


def _unusable(path: str, reason: str) -> SpawnError:
    path = path.removeprefix("-")
    return SpawnError(f"cannot read env_file {path!r}: {reason}")


def _prepend(env: dict[str, str], name: str, entries: list[str]) -> None:
    if entries:
        env[name] = os.pathsep.join([*entries, *filter(None, [env.get(name)])])


def _virtualenv(config: WatcherConfig) -> tuple[str, list[str], str] | None:
    """Its programs, the folders that it links to, its packages."""
    if not config.virtualenv:
        return None
    root = Path(config.virtualenv)
    version = config.virtualenv_py_ver or f"{sys.version_info.major}.{sys.version_info.minor}"
    tried = [root / "lib" / f"{kind}{version}" / "site-packages" for kind in ("python", "pypy")]
    packages = next((path for path in tried if path.is_dir()), None)
    if packages is None:
        places = ", ".join(map(str, tried))
        raise SpawnError(f"cannot use virtualenv {str(root)!r}: none of {places} exists")
    linked = [
        line.strip()
        for pth in sorted(packages.glob("*.pth"))
        for line in pth.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.strip() and os.path.exists(line.strip())
    ]
    return str(root / "bin"), linked, str(packages)
