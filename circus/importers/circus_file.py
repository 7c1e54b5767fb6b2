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
        elif _goes_on(line) and found and found[-1].option and found[-1].option.key:
            found[-1] = _longer(found[-1], line, number)
        else:
            found.append(Group(section_name, None, (line,)))
    return found


def _goes_on(line: str) -> bool:
    return line[:1].isspace() and bool(line.strip())


def _longer(group: Group, line: str, number: int) -> Group:
    one = group.option
    assert one is not None  # noqa: S101 the caller has looked
    written = f"{one.written}\n{line.strip()}"
    option = Option(one.key, one.value, one.file, one.line, number, written)
    return Group(group.section, option, (*group.lines, line))
