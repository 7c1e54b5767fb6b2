"""Files, includes, environment, substitution to a `Config`, or all the `Problem`s at once."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from circus.config import variables
from circus.config.ini import Parsed, Section
from circus.config.model import (
    CircusConfig,
    Config,
    PluginConfig,
    SocketConfig,
    WatcherConfig,
    watcher_rules,
)
from circus.config.rules import across
from circus.config.schema import Problem, known_names, parse_into, suggestion
from circus.exc import ConfigError

MODELS: dict[str, type] = {
    "watcher": WatcherConfig,
    "socket": SocketConfig,
    "plugin": PluginConfig,
}
REQUIRED = {"watcher": "cmd", "plugin": "use"}
UNUSABLE = "?"
"""Stands for a value that is missing or wrong, so that the rest can still be looked at."""
NOT_EXPANDED = ("stop_signal", "rlimit_", "hooks.")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, what is odd about it, and where each option was written."""

    config: Config
    warnings: tuple[Problem, ...]
    origins: Mapping[tuple[str, str], str]
    """(section, key) to `file:line`; key "" is the header."""

    def where(self, section: str, key: str = "") -> str:
        """Where an option was written; its section's header when it was not."""
        return self.origins.get((section, key)) or self.origins.get((section, ""), section)


def load(path: str, environ: Mapping[str, str], *, strict: bool = False) -> Loaded:
    """Read a file and what it includes. Raises ConfigError with everything that is wrong."""
    return _Loader(path, environ, strict=strict).load()


class _Loader:
    def __init__(self, path: str, environ: Mapping[str, str], *, strict: bool) -> None:
        self.path = path
        self.environ = dict(environ)
        self.strict = strict
        self.parsed = Parsed()
        self.problems = self.parsed.problems
        self.warnings: list[Problem] = []
        self.origins: dict[tuple[str, str], str] = {}

    def load(self) -> Loaded:
        self._read(self.path, named_by="")
        if not self.problems:
            self._include()
        self._remember_origins()
        circus = self._circus()
        made: dict[str, dict[str, Any]] = {kind: {} for kind in MODELS}
        for section in list(self.parsed.sections.values()):
            kind, _, name = section.name.partition(":")
            if kind in MODELS and name.strip():
                self._make(kind, name, section, made, circus)
            elif section.name not in ("circus", "env", "DEFAULT") and kind != "env":
                near = suggestion(kind, ["circus", "env", *MODELS])
                self.warnings.append(
                    Problem(section.where, f"unknown section [{section.name}]{near}")
                )
        config = Config(
            circus=circus,
            watchers=dict(sorted(made["watcher"].items())),
            sockets=dict(sorted(made["socket"].items())),
            plugins=dict(sorted(made["plugin"].items())),
            path=self.path,
        )
        loaded = Loaded(config, tuple(self.warnings), self.origins)
        self.problems += across(config, loaded.where)
        if self.strict or circus.strict:
            self.problems += self.warnings
        if self.problems:
            raise ConfigError(sorted(self.problems, key=_place))
        return loaded

    # -- reading ------------------------------------------------

    def _read(self, path: str, *, named_by: str) -> None:
        try:
            data = Path(path).read_bytes()
        except FileNotFoundError:
            self.problems.append(Problem(named_by or path, "the configuration file does not exist"))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self.problems.append(Problem(named_by or path, f"cannot read {path!r}: {reason}"))
        else:
            self.parsed.read(data, path)

    def _include(self) -> None:
        circus = self.parsed.sections.get("circus")
        if circus is None:
            return
        names = variables.environment_names(self.environ)
        base = os.path.dirname(os.path.abspath(self.path))
        # options are looked up before any included file can add to the section
        wanted = [(key, circus.options.get(key)) for key in ("include", "include_dir")]
        for key, entry in wanted:
            for pattern in variables.expand(entry.value, names).split() if entry else ():
                assert entry is not None  # noqa: S101 it gave the pattern
                full = os.path.join(base, pattern, "*.ini" if key == "include_dir" else "")
                found = sorted(glob.glob(full.rstrip("/")))
                if not found:
                    self.warnings.append(
                        Problem(entry.where, f"{key}: {pattern!r} matches nothing")
                    )
                for path in found:
                    self._read(path, named_by="")

    def _remember_origins(self) -> None:
        for section in self.parsed.sections.values():
            self.origins[section.name, ""] = section.where
            for key, entry in section.options.items():
                self.origins[section.name, key] = entry.where

    # -- making ------------------------------------------------

    def _environment(self, section: str) -> dict[str, str]:
        """The variables of one environment section, expanded from ours only."""
        found = self.parsed.sections.get(section)
        if found is None:
            return {}
        names = variables.environment_names(self.environ)
        return {
            key: variables.expand_environment(variables.expand(entry.value, names), self.environ)
            for key, entry in found.options.items()
        }

    def _watcher_environment(self, name: str) -> dict[str, str]:
        env = self._environment("env")
        for section in self.parsed.sections:
            kind, _, patterns = section.partition(":")
            if kind == "env" and any(
                fnmatch.fnmatchcase(name, pattern.strip()) for pattern in patterns.split(",")
            ):
                env.update(self._environment(section))
        return env

    def _given(self, section: Section, env: Mapping[str, str]) -> dict[str, object]:
        names = variables.environment_names({**self.environ, **env})
        return {
            key: entry.value
            if key.startswith(NOT_EXPANDED)
            else variables.expand(entry.value, names)
            for key, entry in section.options.items()
        }

    def _circus(self) -> CircusConfig:
        section = self.parsed.sections.get("circus") or Section("circus", self.path, 1)
        given = self._given(section, self._environment("env"))
        values, extra, problems = parse_into(CircusConfig, given, self._where(section))
        self.problems += problems
        for key in extra:
            self._unknown(section, key, CircusConfig)
        return CircusConfig(**values)

    def _make(
        self,
        kind: str,
        name: str,
        section: Section,
        made: dict[str, dict[str, Any]],
        circus: CircusConfig,
    ) -> None:
        key = name.lower()
        if key in made[kind]:
            other = made[kind][key].name
            self.problems.append(
                Problem(section.where, f"there is already a {kind} {other!r}: names that differ "
                        "only in upper and lower case are the same")
            )  # fmt: skip
            return
        if not section.options:
            return
        is_watcher = kind == "watcher"
        env = self._watcher_environment(name) if is_watcher else self._environment("env")
        given = self._given(section, env)
        values, extra, problems = parse_into(MODELS[kind], given, self._where(section))
        self.problems += problems
        self._require(kind, section, values)
        if is_watcher:
            values["env"] = env
            values.setdefault("respawn", circus.respawn)
            self._twice(section)
        for unknown in () if kind == "plugin" else extra:
            self._unknown(section, unknown, MODELS[kind])
        made[kind][key] = one = MODELS[kind](name=name, extra=extra, **values)
        if is_watcher:
            self.problems += [
                Problem(self._where(section)(option), message)
                for option, message in watcher_rules(one)
            ]

    def _require(self, kind: str, section: Section, values: dict[str, Any]) -> None:
        needed = REQUIRED.get(kind)
        if needed is None:
            return
        if needed not in section.options:
            self.problems.append(Problem(section.where, f"[{section.name}] has no {needed}"))
        values.setdefault(needed, UNUSABLE)

    def _twice(self, section: Section) -> None:
        if len(section.places) > 1:
            first, second = section.places[:2]
            self.problems.append(Problem(second, f"[{section.name}] is already defined at {first}"))

    def _unknown(self, section: Section, key: str, model: type) -> None:
        plugins = {
            name.partition(":")[2].lower() for name in self.parsed.sections
            if name.startswith("plugin:")
        }  # fmt: skip
        if "." in key and (key.partition(".")[0].lower() in {*plugins, "flapping"}):
            return
        near = suggestion(key, known_names(model))
        self.warnings.append(Problem(self._where(section)(key), f"unknown option {key!r}{near}"))

    def _where(self, section: Section) -> Any:
        def where(key: str) -> str:
            entry = section.options.get(key)
            return section.where if entry is None else entry.where

        return where


def _place(problem: object) -> tuple[str, int]:
    where = str(getattr(problem, "where", ""))
    file, _, line = where.rpartition(":")
    return (file, int(line)) if line.isdecimal() else (where, 0)
