"""A configuration of circus as groups of lines, each of which is one option or one header."""

from __future__ import annotations

from dataclasses import dataclass

from circus.config.ini import HEADER, OURS, Parsed
from circus.exc import CircusError
from circus.importers.report import Option


@dataclass(frozen=True, slots=True)
class Group:
    """Some lines of the file, and the option that they are, if they are one."""

    section: str
    option: Option | None
    lines: tuple[str, ...]


def groups(text: str, path: str) -> list[Group]:
    """All lines, in order. Raises CircusError for what no circus ever read."""
    parsed = Parsed()
    parsed.read(text.encode(), path)
    if parsed.problems:
        raise CircusError(str(parsed.problems[0]))
    lines = text.removesuffix("\n").split("\n")
    starts, ends = _starts(parsed, lines), {}
    begun = 0
    for number, line in enumerate(lines, 1):
        begun = number if number in starts else begun
        if begun and _goes_on(line):
            ends[begun] = number
    found: list[Group] = []
    section, number = "", 1
    while number <= len(lines):
        last = ends.get(number, number)
        own, option = lines[number - 1 : last], None
        if number in starts:
            section, key, value = starts[number]
            option = Option(key, value, path, number, last, _written(own))
        found.append(Group(section, option, tuple(own)))
        number = last + 1
    return found


def _starts(parsed: Parsed, lines: list[str]) -> dict[int, tuple[str, str, str]]:
    """Section, key and value of each option, and the sections of headers, by their first line."""
    found = {
        entry.line: (section.name, key, entry.value)
        for section in parsed.sections.values()
        for key, entry in [*section.options.items(), *section.again]
    }
    for number, line in enumerate(lines, 1):
        header = HEADER.fullmatch(line.strip())
        if header and (line[:1] == "[" or OURS.fullmatch(header["name"])):
            found.setdefault(number, (header["name"], "", ""))
    return found


def _goes_on(line: str) -> bool:
    return line[:1].isspace() and bool(line.strip())


def _written(lines: list[str]) -> str:
    """Without the blank lines and comments between."""
    first, *others = lines
    return "\n".join(line.strip() for line in (first, *filter(_goes_on, others)))
