"""A configuration of circus as groups of lines, each of which is one option or one header."""

from __future__ import annotations

from dataclasses import dataclass, replace

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
    options = {}
    for section in parsed.sections.values():
        for key, entry in [*section.options.items(), *section.again]:
            options[entry.line] = (section.name, key, entry.value)
    found: list[Group] = []
    section_name = ""
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        header = HEADER.fullmatch(line.strip())
        if number in options:
            section_name, key, value = options[number]
            option = Option(key, value, path, number, number, line.strip())
            found.append(Group(section_name, option, (line,)))
        elif header and (line[:1] == "[" or OURS.fullmatch(header["name"])):
            section_name = header["name"]
            option = Option("", "", path, number, number, line.strip())
            found.append(Group(section_name, option, (line,)))
        elif _goes_on(line) and any(group.option for group in found):
            _lengthen(found, line, number)
        else:
            found.append(Group(section_name, None, (line,)))
    return found


def _goes_on(line: str) -> bool:
    return line[:1].isspace() and bool(line.strip())


def _lengthen(found: list[Group], line: str, number: int) -> None:
    """Add a line to the last option; blank lines and comments between them belong to it too."""
    between: list[str] = []
    while found[-1].option is None:
        between[:0] = found.pop().lines
    last = found.pop()
    one = last.option
    assert one is not None  # noqa: S101 the loop has looked
    option = replace(one, last=number, written=f"{one.written}\n{line.strip()}")
    found.append(Group(last.section, option, (*last.lines, *between, line)))
