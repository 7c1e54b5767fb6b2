"""What became of each line of a source, in words for whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from circus.exc import CircusError
from circus.importers.draft import WORKER, Unfit

LONGEST = 70
"""Characters of a line of the source that are shown."""
LONGEST_VALUE = 128 << 10
"""Characters of a value: Linux takes no longer word of a command, and no longer variable."""


class Fate(StrEnum):
    """How a line fared."""

    KEPT = "kept"
    """It means here what it meant there."""
    CHANGED = "changed"
    """Its purpose is served in another way, which is told."""
    LOST = "lost"
    """There is nothing like it here."""
    DECIDE = "decide"
    """Somebody has to say what is wanted."""


OPEN = (Fate.LOST, Fate.DECIDE)
"""What somebody should look at before the configuration is used."""


class Verdict(NamedTuple):
    """What is said of a line."""

    fate: Fate
    became: str
    todo: str = ""


def kept(became: str) -> Verdict:
    """It is there, and means the same."""
    return Verdict(Fate.KEPT, became)


def changed(became: str, todo: str = "") -> Verdict:
    """It is there in another way."""
    return Verdict(Fate.CHANGED, became, todo)


def numbered(became: str) -> Verdict:
    """Of a command, which may hold the number of its worker."""
    if WORKER not in became:
        return kept(became)
    say = f"{became}; where a reload replaces workers, the new ones have other numbers"
    return changed(say, "circusctl restart and reload --sequential keep the numbers")


def lost(why: str, todo: str = "") -> Verdict:
    """There is nothing like it."""
    return Verdict(Fate.LOST, why, todo)


def decide(why: str, todo: str = "") -> Verdict:
    """It cannot be told from here what is wanted."""
    return Verdict(Fate.DECIDE, why, todo)


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a source as written, or a header: then `key` is empty.

    Raises CircusError for a value that is too long to be one.
    """

    key: str
    value: str
    file: str
    line: int
    last: int
    """The last of its lines."""
    written: str
    """Its text, for people."""

    def __post_init__(self) -> None:
        if len(self.value) > LONGEST_VALUE:
            say = f"a value has at most {LONGEST_VALUE} characters, this one {len(self.value)}"
            raise CircusError(f"{self.file}:{self.line}: {say}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a report."""

    option: Option
    verdict: Verdict

    def __str__(self) -> str:
        at, found = self.option, self.verdict
        todo = f"; {found.todo}" if found.todo else ""
        became = one_line(f"{found.became}{todo}")
        return f"{one_line(at.file)}:{at.line}: {shortened(at.written)} -> {found.fate}: {became}"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        at, found = self.option, self.verdict
        return {
            "file": at.file,
            "line": at.line,
            "last_line": at.last,
            "written": at.written,
            "fate": str(found.fate),
            "became": found.became,
            "todo": found.todo,
        }


@dataclass
class Report:
    """All of it, in the order of the source."""

    entries: list[Entry] = field(default_factory=list)

    def add(self, option: Option, verdict: Verdict) -> None:
        """One more."""
        self.entries.append(Entry(option, verdict))

    def in_order(self) -> list[Entry]:
        """By file, in the order in which they were first met, and line."""
        files = {entry.option.file: 0 for entry in self.entries}
        places = {file: place for place, file in enumerate(files)}
        return sorted(self.entries, key=lambda one: (places[one.option.file], one.option.line))

    def count(self, *fates: Fate) -> int:
        """How many fared so."""
        return sum(entry.verdict.fate in fates for entry in self.entries)

    @property
    def is_open(self) -> bool:
        """Whether somebody should look at something."""
        return bool(self.count(*OPEN))

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "report": [entry.as_json() for entry in self.in_order()],
            "summary": {str(fate): self.count(fate) for fate in Fate},
        }

    def summary(self) -> str:
        """One line on all."""
        counts = ", ".join(f"{self.count(fate)} {said}" for fate, said in SAID.items())
        number = len(self.entries)
        return f"{number} line{'' if number == 1 else 's'}: {counts}"


SAID: Mapping[Fate, str] = {
    Fate.KEPT: "kept",
    Fate.CHANGED: "changed",
    Fate.LOST: "lost",
    Fate.DECIDE: "to decide",
}
T = TypeVar("T")
Handler = Callable[[T, Option], Verdict]
"""What one option of a source becomes; it may raise Unfit."""


def handled(handler: Handler[T], subject: T, option: Option) -> Verdict:
    """The verdict of a handler; what cannot be written is for somebody to decide."""
    try:
        return handler(subject, option)
    except Unfit as error:
        return decide(f"not taken over: {error}", error.todo)


def says(verdict: Verdict) -> Handler[Any]:
    """Of an option of which the same is said, whatever it says itself."""
    return lambda _subject, _option: verdict


def left_out(section: str, verdict: Verdict | None = None) -> Verdict:
    """Of an option whose section comes to nothing; what is wrong with it is told all the same."""
    if verdict is not None and verdict.fate is Fate.DECIDE:
        return verdict
    return lost(f"a part of [{section}], which is left out")


def one_line(text: str) -> str:
    """Of what can be shown."""
    return "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))


def shortened(text: str) -> str:
    """One line, not a long one."""
    line = one_line(text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
