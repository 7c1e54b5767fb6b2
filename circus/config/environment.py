"""Which variables the environment sections give to which watcher."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from circus.config import variables
from circus.config.schema import Problem
from circus.suggest import suggestion

if TYPE_CHECKING:
    from circus.config.ini import Section
    from circus.config.model import WatcherConfig

WILD = "*?["


class Environments:
    """`[env]` and `[env:…]`, expanded from our own environment only.

    `[env]` is weakest wherever it stands; of the others a later one goes before an earlier.
    """

    def __init__(self, sections: Iterable[Section], environ: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self.general: dict[str, str] = {}
        self._environ = environ
        self._names = variables.environment_names(environ)
        self._exact: dict[str, list[tuple[int, dict[str, str]]]] = {}
        self._wild: list[tuple[int, str, dict[str, str]]] = []
        self._places: dict[str, str] = {}
        for position, section in enumerate(sections):
            self._add(position, section)

    def of(self, watcher: str) -> dict[str, str]:
        """A new mapping for this watcher; letters count in the patterns."""
        found = list(self._exact.get(watcher, ()))
        found += [
            (position, values)
            for position, pattern, values in self._wild
            if fnmatch.fnmatchcase(watcher, pattern)
        ]
        env = dict(self.general)
        for _, values in sorted(found, key=lambda pair: pair[0]):
            env.update(values)
        return env

    def unused(self, watchers: Iterable[WatcherConfig]) -> Iterator[tuple[str, str, str]]:
        """Names of watchers that do not exist: where they are, the name, what was meant."""
        known = {watcher.name for watcher in watchers}
        for name in self._exact.keys() - known:
            yield self._places[name], name, suggestion(name, known)

    def _add(self, position: int, section: Section) -> None:
        kind, colon, patterns = section.name.partition(":")
        if kind != "env":
            return
        values = dict(self._expanded(section))
        if not colon:
            self.general = values
            return
        for pattern in {part.strip() for part in patterns.split(",") if part.strip()}:
            if any(mark in pattern for mark in WILD):
                self._wild.append((position, pattern, values))
            else:
                self._exact.setdefault(pattern, []).append((position, values))
                self._places.setdefault(pattern, section.where)

    def _expanded(self, section: Section) -> Iterator[tuple[str, str]]:
        for key, entry in section.options.items():
            value = variables.expand_in_environment(entry.value, self._names, self._environ)
            yield key, value.strip()
