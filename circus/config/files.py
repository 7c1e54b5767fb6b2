"""A configuration file and what it includes, as one set of sections."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from pathlib import Path, PurePath

from circus.config import variables
from circus.config.ini import Entry, Parsed
from circus.config.schema import Problem


class Files:
    """Reads each file once, however often it is included; the main file comes first.

    `stand_ins` are files that are read in the places of others: the absolute path of one that need
    not exist, to what it would hold.
    """

    def __init__(self, path: str, environ: Mapping[str, str], stand_ins: Mapping[str, str]) -> None:
        self.parsed = Parsed()
        self.warnings: list[Problem] = []
        self.notes: list[Problem] = []
        """Warnings that being strict does not turn into errors."""
        self._names = variables.environment_names(environ)
        self._base = os.path.dirname(path)
        self._stand_ins = {os.path.realpath(file): new for file, new in stand_ins.items()}
        self._not_yet = [file for file in stand_ins if not os.path.lexists(file)]
        self._read_before: set[str] = set()
        self._read(path, named_by=path)
        self._include()
        for file in stand_ins:
            if os.path.realpath(file) not in self._read_before:
                self.parsed.problems.append(Problem(file, f"{path} does not include this file"))

    def _read(self, path: str, *, named_by: str) -> None:
        source = path
        try:
            real = os.path.realpath(path)
            if real in self._read_before:
                return
            self._read_before.add(real)
            source = self._stand_ins.get(real, path)
            data = Path(source).read_bytes()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            say = f"cannot read {source!r}: {reason}"
            if isinstance(error, FileNotFoundError) and source == named_by:
                say = "the configuration file does not exist"
            self.parsed.problems.append(Problem(named_by, say))
        else:
            self.parsed.read(data, path)

    def _include(self) -> None:
        circus = self.parsed.sections.get("circus")
        if circus is None:
            return
        # looked up before an included file can add to the section: one level, no more
        wanted = [(key, circus.options.get(key)) for key in ("include", "include_dir")]
        for key, entry in wanted:
            for pattern in variables.expand(entry.value, self._names).split() if entry else ():
                assert entry is not None  # noqa: S101 it gave the pattern
                self._include_one(key, pattern, entry)

    def _include_one(self, key: str, pattern: str, entry: Entry) -> None:
        full = os.path.join(self._base, pattern)
        if key == "include_dir":
            full = os.path.join(full, "*.ini")
        found = glob.glob(full)
        found += [file for file in self._not_yet if PurePath(file).match(os.path.abspath(full))]
        for path in sorted(found):
            self._read(path, named_by=entry.where)
        empty = key == "include_dir" and os.path.isdir(full[:-6])  # nothing is wrong with that
        if not found and not empty:
            # a wildcard without a match may have one later
            warnings = self.notes if glob.has_magic(pattern) else self.warnings
            warnings.append(Problem(entry.where, f"{key}: {pattern!r} matches nothing"))
