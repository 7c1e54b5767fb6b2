"""What is written has to be what circusd takes: the rest is put into comments, and told."""

from __future__ import annotations

import os
import tempfile
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

from circus.config.ini import HEADER, OURS
from circus.config.load import examine
from circus.config.variables import looked_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circus.config.schema import Problem

VARIABLE = "circus.env."
ITS_SECTION = "its section cannot be used"
OUT = "#! "
"""Stands before what was taken out."""


class Lines:
    """A file of ours, as groups of lines: each is an option, a header, or neither."""

    def __init__(self, groups: list[list[str]]) -> None:
        self.groups = groups
        self._ends = list(accumulate(map(len, groups)))

    def text(self) -> str:
        """The file."""
        return "".join(f"{line}\n" for group in self.groups for line in group)

    def take_out(self, at: int) -> list[int]:
        """Put a group into comments; of a header its section too. Gives which it were."""
        taken = [at]
        if _is_header(self.groups[at]):
            after = range(at + 1, len(self.groups))
            end = next((one for one in after if _is_header(self.groups[one])), len(self.groups))
            taken += [one for one in range(at + 1, end) if any(map(str.strip, self.groups[one]))]
        for one in taken:
            self.groups[one] = [_commented(line) for line in self.groups[one]]
        return taken

    def group_at(self, line: int) -> int:
        """Which group has a line of the file, counted from 1."""
        return bisect_left(self._ends, line)


def make_sound(lines: Lines, path: str) -> Iterator[tuple[int | None, str]]:
    """Take out what `circusd --check` would refuse: which group, and what is wrong with it.

    None: it is in a file that is included. `path` is where it would stand. Writes temporary
    files, so it may block.
    """
    elsewhere: set[str] = set()
    told = True
    while told:  # without an option another may be wrong
        told = False
        for problem in _examined(lines.text(), path):
            file, line = problem.place
            if os.path.abspath(file) != os.path.abspath(path):
                if str(problem) not in elsewhere:
                    elsewhere.add(str(problem))
                    yield None, str(problem)
                continue
            at = lines.group_at(line)
            if not lines.groups[at][0].startswith(OUT):
                told = True
                first, *others = lines.take_out(at)
                yield first, problem.message
                for other in others:
                    yield other, ITS_SECTION


def _examined(text: str, path: str) -> tuple[Problem, ...]:
    name = os.path.abspath(path)
    # whether circusd has a variable of that name is another question, to be asked where it runs
    named = {name.removeprefix(VARIABLE): "1" for name in looked_up(text) if VARIABLE in name}
    with tempfile.NamedTemporaryFile("w", suffix=".ini", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        return examine(name, {**named, **os.environ}, stand_ins={name: file.name})[1]


def _commented(line: str) -> str:
    return line if line.lstrip()[:1] in ("", "#", ";") and line[:1] != " " else f"{OUT}{line}"


def _is_header(group: list[str]) -> bool:
    line = group[0] if group else ""
    found = HEADER.fullmatch(line.strip())
    return found is not None and (line[:1] == "[" or OURS.fullmatch(found["name"]) is not None)
