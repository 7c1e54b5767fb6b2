"""Files, includes, environment, substitution to a `Config`, or all the `Problem`s at once."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from circus.config import commandline, variables
from circus.config.advice import advice, old_spellings, unknown_variables
from circus.config.console import console_rules
from circus.config.environment import Environments
from circus.config.files import Files
from circus.config.ini import Section
from circus.config.model import CircusConfig, Config, PluginConfig, SocketConfig, WatcherConfig
from circus.config.plugins import PREFIX, plugin_rules, unquoted, watcher_options, with_plugins
from circus.config.rules import across, unfit_name, watcher_rules
from circus.config.schema import Problem, Reading, in_order, nearest, read, row_of
from circus.config.stats import stats_rules
from circus.exc import ConfigError
from circus.suggest import suggestion

MODELS: dict[str, type] = {
    "watcher": WatcherConfig,
    "socket": SocketConfig,
    "plugin": PluginConfig,
}
REQUIRED = {"watcher": "cmd", "plugin": "use"}
UNUSABLE = "?"
"""Stands for a command that is missing or wrong, so that the rest can still be looked at."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, what is odd about it, and where each option was written."""

    config: Config
    warnings: tuple[Problem, ...]
    origins: Mapping[tuple[str, str], str]
    """(section, key) to `file:line`; key "" is the header."""

    def where(self, section: str, key: str = "") -> str:
        """Where an option was written; its section's header when it was not."""
        return _place_of(self.origins, section, key)


def load(path: str, environ: Mapping[str, str], *, strict: bool = False) -> Loaded:
    """Read a file and what it includes. Raises ConfigError with everything that is wrong.

    With `strict`, here or in the file, warnings are wrong too.
    """
    loader = _Loader(path, environ, {}, strict=strict)
    loader.warnings += loader.misspelt
    problems = loader.wrong()
    if problems:
        raise ConfigError(problems)
    return loader.loaded()


def examine(
    path: str,
    environ: Mapping[str, str],
    *,
    strict: bool = False,
    stand_ins: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Loaded, tuple[Problem, ...]]:
    """The configuration as far as it can be understood, and everything that is wrong with it.

    Each file of `stand_ins`, an absolute path, is taken to hold what the one beside it does.

    What looks misspelt is wrong here. Nobody starts anything with it, so nothing stays down
    because of an option that 0.19 passed over.
    """
    loader = _Loader(path, environ, stand_ins, strict=strict)
    loader.problems += loader.misspelt
    return loader.loaded(), loader.wrong()


class _Loader:
    config: Config

    def __init__(
        self,
        path: str,
        environ: Mapping[str, str],
        stand_ins: Mapping[str, str],
        *,
        strict: bool,
    ) -> None:
        files = Files(path, environ, stand_ins)
        self.sections = files.parsed.sections
        self.warnings = files.warnings
        self.misspelt: list[Problem] = []
        """Warnings about what is almost something that we know."""
        self.notes = files.notes
        self.problems = files.parsed.problems
        _spread_defaults(self.sections)
        self.environments = Environments(self.sections.values(), environ)
        self.problems += self.environments.problems
        self.names = variables.environment_names(environ)
        self.plugins = {"flapping"} | {
            name.partition(":")[2].lower() for name in self.sections if name.startswith("plugin:")
        }
        self.made: dict[str, dict[str, Any]] = {kind: {} for kind in MODELS}
        self.origins: dict[tuple[str, str], str] = {}
        for section in self.sections.values():
            # sockets are known by their names in lower case
            name = section.name.lower() if section.name.startswith("socket:") else section.name
            self.origins[name, ""] = self.origins[section.name, ""] = section.where
            for key, entry in section.options.items():
                self.origins[name, key] = self.origins[section.name, key] = entry.where
        self._load(path)
        self.strict = strict or self.config.circus.strict

    def loaded(self) -> Loaded:
        warnings = self.notes if self.strict else [*self.notes, *self.warnings]
        return Loaded(self.config, in_order(warnings), self.origins)

    def wrong(self) -> tuple[Problem, ...]:
        return in_order([*self.problems, *self.warnings] if self.strict else self.problems)

    def _load(self, path: str) -> None:
        circus = self._circus(path)
        for section in self.sections.values():
            self._repeated(section)
            kind, _, name = section.name.partition(":")
            unfit = unfit_name(kind, name) if kind in MODELS else None
            if unfit:
                self.problems.append(Problem(section.where, unfit))
            elif kind in MODELS:
                self._make(kind, name, section, circus)
            elif section.name not in ("circus", "DEFAULT") and kind != "env":
                near = suggestion(kind, ["circus", "env", *MODELS])
                self._odd(section.where, f"unknown section [{section.name}]", near)
        self.config = Config(
            circus=circus,
            watchers=dict(sorted(self.made["watcher"].items())),
            sockets=dict(sorted(self.made["socket"].items())),
            plugins=dict(sorted(self.made["plugin"].items())),
            path=path,
        )
        self.problems += plugin_rules(self.config, self._where)
        self.problems += stats_rules(self.config, self._where)
        self.problems += console_rules(self.config, self._where)
        self.problems += across(with_plugins(self.config), self._where)
        self.warnings += advice(self.config, self._where)
        self.notes += old_spellings(self.config, self._where)
        for where, say, near in unknown_variables(self.config, self._where, self.names):
            self._odd(where, say, near)
        for where, name, near in self.environments.unused(self.config.watchers.values()):
            self._odd(where, f"there is no watcher {name!r} to give this to", near)

    def _odd(self, where: str, say: str, near: str) -> None:
        (self.misspelt if near else self.warnings).append(Problem(where, f"{say}{near}"))

    def _where(self, section: str, key: str) -> str:
        return _place_of(self.origins, section, key)

    def _place(self, section: Section) -> Callable[[str], str]:
        return lambda key: self._where(section.name, key)

    def _circus(self, path: str) -> CircusConfig:
        section = self.sections.get("circus") or Section("circus", path, 1)
        given = self._given(section, self.environments.general)
        found = self._read(CircusConfig, section, given)
        self._unknown(section, found.extra, CircusConfig)
        return CircusConfig(**found.values)

    def _make(self, kind: str, name: str, section: Section, circus: CircusConfig) -> None:
        if not section.options and not section.unreadable:
            self.notes.append(Problem(section.where, f"[{section.name}] is empty, it is left out"))
            return
        other = self.made[kind].get(name.lower())
        if other is not None:
            say = f"there is already a {kind} {other.name!r}: names that differ only in upper and "
            self.problems.append(Problem(section.where, f"{say}lower case are the same"))
            return
        model = MODELS[kind]
        env = self.environments.of(name) if kind == "watcher" else self.environments.general
        given = self._given(section, env)
        values: dict[str, Any]
        if kind == "watcher":
            values = self._watcher(name, section, given, env, circus)
        elif kind == "plugin":
            values = self._plugin(section, given)
        else:
            found = self._read(model, section, given)
            self._unknown(section, found.extra, model)
            values, name = {**found.values, "extra": found.extra}, name.lower()
        self.made[kind][name.lower()] = made = model(name=name, **values)
        if kind == "watcher":
            wrong = watcher_rules(made)
            self.problems += [
                Problem(self._where(section.name, key), message) for key, message in wrong
            ]

    def _watcher(
        self,
        name: str,
        section: Section,
        given: dict[str, object],
        env: dict[str, str],
        circus: CircusConfig,
    ) -> dict[str, Any]:
        if given.pop("env", None) is not None:
            say = f"env is ignored in a file, write [env:{name}]"
            self.warnings.append(Problem(self._where(section.name, "env"), say))
        found = self._read(WatcherConfig, section, given)
        self._unknown(section, found.extra, WatcherConfig)
        self._require(section, found)
        return {"respawn": circus.respawn, **found.values, "env": env, "extra": found.extra}

    def _plugin(self, section: Section, given: dict[str, object]) -> dict[str, Any]:
        written = {key: unquoted(value) for key, value in given.items()}
        own = {key: value for key, value in written.items() if row_of(PluginConfig, key)}
        found = self._read(PluginConfig, section, own)
        self._require(section, found)
        extra = {key: value for key, value in written.items() if key != "use"}
        of_watcher = self._read(WatcherConfig, section, watcher_options(extra))
        return {**found.values, "options": of_watcher.values, "extra": extra}

    def _read(self, model: type, section: Section, given: Mapping[str, object]) -> Reading:
        found = read(model, given, self._place(section))
        self.problems += found.problems
        self.warnings += found.warnings
        return found

    def _given(self, section: Section, env: Mapping[str, str]) -> dict[str, object]:
        """The options with their variables replaced, but not those that wait for a worker."""
        names = ChainMap(variables.environment_names(env), self.names)
        given: dict[str, object] = {}
        for key, entry in section.options.items():
            if key in commandline.OPTIONS and section.name.startswith("watcher:"):
                given[key] = entry.value
                continue
            text = given[key] = variables.expand(entry.value, names)
            for written, _ in variables.named(text):
                if written in entry.value:  # not one that is part of a variable's value
                    say = f"{key}: nothing is known as {written} here, it stays as it is"
                    self.warnings.append(Problem(entry.where, say))
        return given

    def _require(self, section: Section, found: Reading) -> None:
        needed = REQUIRED[section.name.partition(":")[0]]
        if needed not in section.options and needed not in section.unreadable:
            self.problems.append(Problem(section.where, f"[{section.name}] has no {needed}"))
        found.values.setdefault(needed, UNUSABLE)

    def _repeated(self, section: Section) -> None:
        """Sections of one name are one section; but two commands were to be two watchers."""
        needed = REQUIRED.get(section.name.partition(":")[0])
        for key, entry in section.again:
            first = section.options[key]
            if entry.header == first.header:
                say = f"{key} was given at {first.where} already, which counts"
                self.warnings.append(Problem(entry.where, say))
            elif key == needed:
                say = f"[{section.name}] is already defined at {first.header}"
                self.problems.append(Problem(entry.header, say))

    def _unknown(self, section: Section, keys: Iterable[str], model: type) -> None:
        for key in keys:
            head, dot, _ = key.partition(".")
            if not dot or head.lower() not in self.plugins:
                where = self._where(section.name, key)
                self._odd(where, f"unknown option {key!r}", nearest(model, key))


def _place_of(origins: Mapping[tuple[str, str], str], section: str, key: str) -> str:
    if section.startswith(f"watcher:{PREFIX}") and (section, "") not in origins:
        section = section.removeprefix("watcher:")  # the watcher of a plugin
    return origins.get((section, key)) or origins.get((section, ""), section)


def _spread_defaults(sections: Mapping[str, Section]) -> None:
    """`[DEFAULT]` gives each section the options that it knows and does not have."""
    defaults = sections.get("DEFAULT")
    if defaults is None:
        return
    for section in sections.values():
        kind = section.name.partition(":")[0]
        model = CircusConfig if section.name == "circus" else MODELS.get(kind)
        for key, entry in defaults.options.items():
            if model is not None and row_of(model, key):
                section.options.setdefault(key, entry)
