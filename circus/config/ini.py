"""Text to (section, key, value, file, line)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from circus.config.schema import Problem

HEADER = re.compile(r"^\[(?P<name>[^\]]+)\]\s*$")
NESTED = re.compile(r"^(circus|env|(env|watcher|socket|plugin):.+)$")
OPTION = re.compile(r"^(?P<key>[^:=]+?)\s*[=:]\s*(?P<value>.*)$")


@dataclass(slots=True)
class Entry:
    """One option as written."""

    value: str
    file: str
    line: int

    @property
    def where(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.line}"


@dataclass(slots=True)
class Section:
    """All options of one header; the first of a name counts."""

    name: str
    file: str
    line: int
    options: dict[str, Entry] = field(default_factory=dict)
    places: list[str] = field(default_factory=list)

    @property
    def where(self) -> str:
        """`file:line` of the header."""
        return f"{self.file}:{self.line}"


@dataclass
class Parsed:
    """What one or more files say; sections in the order in which they first appear."""

    sections: dict[str, Section] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def read(self, data: bytes, file: str) -> None:
        """Add a file. Bytes that are not UTF-8 are a problem, at their line."""
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self.problems.append(
                Problem(f"{file}:{line}", f"byte 0x{data[error.start]:02x} is not UTF-8 text")
            )
            return
        _Reader(self, file).read(text)


class _Reader:
    """The state of reading one file, a line at a time."""

    def __init__(self, parsed: Parsed, file: str) -> None:
        self.parsed = parsed
        self.file = file
        self.section: Section | None = None
        self.outer: Section | None = None
        """The section that goes on where an indented one ends."""
        self.open: Entry | None = None

    def read(self, text: str) -> None:
        for number, line in enumerate(text.split("\n"), 1):
            self._line(line.rstrip("\r"), number)

    def _line(self, line: str, number: int) -> None:
        stripped = line.strip()
        indented = line[:1] in (" ", "\t")
        if not stripped or (not indented and _is_comment(line)):
            return
        header = HEADER.match(stripped)
        if header and (not indented or NESTED.match(header["name"])):
            self._header(header["name"], number, indented=indented)
        elif indented and self.outer is not None:
            self._option(stripped, number)
        elif indented and self.open is not None:
            self.open.value += f"\n{stripped}"
        elif indented and self.section is not None:
            self._option(stripped, number)
        else:
            if self.outer is not None:
                self.section, self.outer = self.outer, None
            self._option(stripped, number)

    def _header(self, name: str, number: int, *, indented: bool) -> None:
        if indented and self.section is not None:
            self.outer = self.outer or self.section
        else:
            self.outer = None
        section = self.parsed.sections.get(name)
        if section is None:
            section = self.parsed.sections[name] = Section(name, self.file, number)
        section.places.append(f"{self.file}:{number}")
        self.section = section
        self.open = None

    def _option(self, text: str, number: int) -> None:
        if _is_comment(text):
            return
        where = f"{self.file}:{number}"
        if self.section is None:
            self.parsed.problems.append(Problem(where, f"{text[:40]!r} stands before any section"))
            return
        found = OPTION.match(text)
        if found is None:
            self.parsed.problems.append(
                Problem(where, f"{text[:40]!r} is neither a [section] nor `option = value`")
            )
            return
        value = _without_comment(found["value"]).strip()
        self.open = Entry("" if value == '""' else value, self.file, number)
        self.section.options.setdefault(found["key"].strip(), self.open)


def _is_comment(line: str) -> bool:
    return line[:1] in "#;" or line.split(None, 1)[0].lower() == "rem"


def _without_comment(value: str) -> str:
    """Only the first `;` counts, and only after a blank: commands are full of others."""
    at = value.find(";")
    if at >= 0 and (at == 0 or value[at - 1].isspace()):
        return value[:at]
    return value
