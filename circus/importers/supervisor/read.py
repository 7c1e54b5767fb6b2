"""Reading supervisord.conf as Supervisor does: Python's configparser with comments inside lines."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from circus.exc import CircusError
from circus.importers.draft import Unfit
from circus.importers.files import matching, read
from circus.importers.report import Option, Report, changed, lost

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = re.compile(r"\[(?P<name>.+)\]")
ASSIGNMENT = re.compile(r"(?P<key>[^=:]*?)\s*[=:]\s*(?P<value>.*)")
COMMENT = re.compile(r"(?:^|(?<=\s))[;#]")
OURS = ("circus", "watcher:", "socket:", "plugin:", "env:")
UNIT = ("Unit", "Service", "Install", "Socket")
LETTERS = "/.+-():"
"""What besides letters, digits and _ may stand in a variable's value without quotes."""


@dataclass
class Section:
    """All options under headers of one name, by key; of two of one key the later one."""

    name: str
    header: Option
    options: dict[str, Option] = field(default_factory=dict)

    def value(self, key: str) -> str | None:
        """As written."""
        found = self.options.get(key)
        return None if found is None else found.value


@dataclass
class Source:
    """A file and those that it includes."""

    path: str
    report: Report
    sections: dict[str, Section] = field(default_factory=dict)

    @property
    def here(self) -> str:
        """The folder of the main file, which `%(here)s` stands for."""
        return os.path.dirname(os.path.abspath(self.path))

    def load(self) -> None:
        """Read everything. Raises CircusError for what Supervisor would not read either."""
        self._file(self.path)
        include = self.sections.get("include")
        if include is None:
            return
        files = include.options.get("files")
        self.report.add(include.header, changed("each file is read into this one"))
        for key, option in include.options.items():
            if key != "files":
                self.report.add(option, lost("[include] has no such option in Supervisor"))
        if files is not None:
            self._include(files)

    def _include(self, option: Option) -> None:
        found: list[str] = []
        patterns = option.value.replace("%(here)s", self.here).split()
        for pattern in patterns:
            found += matching(self.here, pattern)
        for path in dict.fromkeys(map(os.path.realpath, found)):
            if path != os.path.realpath(self.path):
                self._file(path, included=True)
        count = len(set(found))
        if count:
            said = changed(f"{count} file{'' if count == 1 else 's'} read into this one")
        else:
            said = lost("no file is there", "import again where it is, if one should be")
        self.report.add(option, said)

    def _file(self, path: str, *, included: bool = False) -> None:
        shown = os.path.relpath(path, self.here) if included else path
        _Reader(self, shown, included=included).read(read(path))


class _Reader:
    """The state of reading one file, a line at a time."""

    def __init__(self, source: Source, file: str, *, included: bool) -> None:
        self.source = source
        self.file = file
        self.included = included
        self.section: Section | None = None
        self.passed = False
        """Whether the section that is read does not count."""
        self.lines: list[str] = []
        self.first = self.last = self.indent = 0

    def read(self, text: str) -> None:
        """All of it."""
        for number, line in enumerate(text.split("\n"), 1):
            self._line(line, number)
        self._end()

    def _line(self, line: str, number: int) -> None:
        found = COMMENT.search(line)
        if line.strip()[:1] in ("#", ";"):
            return
        text = (line[: found.start()] if found else line).strip()
        if not text:
            if self.lines and not found:
                self.lines.append("")
            return
        indent = len(line) - len(line.lstrip())
        if self.lines and indent > self.indent:
            self.lines.append(text)
            self.last = number
            return
        self._end()
        self.indent, self.first, self.last = indent, number, number
        header = HEADER.match(text)
        if header:
            self._header(header["name"], text, number)
        elif self.section is None:
            raise self._wrong(f"{text[:40]!r} stands before any [section]")
        else:
            self.lines = [text]

    def _header(self, name: str, text: str, number: int) -> None:
        if name in UNIT or name.startswith(OURS):
            kind = "systemd" if name in UNIT else "circus"
            raise self._wrong(f"[{name}] is not for Supervisor; try circusctl import {kind}")
        header = Option("", "", self.file, number, number, text)
        known = self.source.sections.get(name)
        self.passed = name == "include" and self.included
        if self.passed:
            self.source.report.add(header, lost("Supervisor reads none from an included file"))
            self.section = Section(name, header)
        elif known is not None:
            self.source.report.add(header, changed(f"one with {known.header.file} line "
                f"{known.header.line}"))  # fmt: skip
            self.section = known
        else:
            self.section = self.source.sections[name] = Section(name, header)

    def _end(self) -> None:
        """What is read so far of an option is all of it."""
        lines, self.lines = self.lines, []
        if not lines or self.section is None:
            return
        found = ASSIGNMENT.fullmatch(lines[0])
        if found is None or not found["key"].strip():
            raise self._wrong(f"{lines[0][:40]!r} is neither a [section] nor option = value")
        key = found["key"].strip().lower()
        written = "\n".join(lines).rstrip()
        value = "\n".join([found["value"].strip(), *lines[1:]]).rstrip()
        option = Option(key, value, self.file, self.first, self.last, written)
        before = self.section.options.get(key)
        if before is not None:
            say = f"{option.file} line {option.line} has it again, which counts"
            self.source.report.add(before, changed(say))
        self.section.options[key] = option
        if self.passed:
            self.source.report.add(option, lost("Supervisor reads none from an included file"))

    def _wrong(self, say: str) -> CircusError:
        return CircusError(f"{self.file}:{self.first or 1}: {say}")


def put_pairs(text: str, put: Callable[[str, str], None]) -> None:
    """Hand over each variable of `environment`. Raises Unfit, but not before all had their turn."""
    left: Unfit | None = None
    try:
        found = _pairs(text)
    except ValueError as error:
        raise Unfit(str(error), "mend it") from error
    for name, value in found.items():
        try:
            put(name, value)
        except Unfit as error:
            left = Unfit(f"{name}: {error}", error.todo)
    if left is not None:
        raise left


def _pairs(text: str) -> dict[str, str]:
    lexer = shlex.shlex(text, posix=False)
    lexer.wordchars += LETTERS
    tokens = list(lexer)
    found = {}
    for at in range(0, len(tokens), 4):
        name, equals, value = (*tokens[at : at + 3], "", "")[:3]
        if equals != "=" or not value:
            raise ValueError('it is not NAME="value", with commas between')
        found[name] = value.strip("'\"")
    return found
