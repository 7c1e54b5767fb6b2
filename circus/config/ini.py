"""Text to (section, key, value, file, line).

A line that is indented deeper than the option above it goes on with that option's value; one that
is not is an option of its own. An indented header of one of our sections is a header: its section
ends where the indentation ends, and the section around it goes on. The first value of a key counts,
also across files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from circus.config.schema import Problem

HEADER = re.compile(r"\[(?P<name>[^\]]+)\]\s*(?P<rest>.*)")
OURS = re.compile(r"circus|env|(env|watcher|socket|plugin):.+")


@dataclass(slots=True)
class Entry:
    """One option as written."""

    value: str
    file: str
    line: int
    header: str
    """Where the header above it is."""

    @property
    def where(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.line}"


@dataclass(slots=True)
class Section:
    """All options under headers of one name."""

    name: str
    file: str
    line: int
    options: dict[str, Entry] = field(default_factory=dict)
    again: list[tuple[str, Entry]] = field(default_factory=list)
    """Options that were given before, and so do not count."""

    @property
    def where(self) -> str:
        """`file:line` of the first header."""
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
        reader = _Reader(self, file)
        for number, one in enumerate(text.split("\n"), 1):
            reader.line(one, number)


class _Reader:
    """The state of reading one file, a line at a time."""

    def __init__(self, parsed: Parsed, file: str) -> None:
        self.parsed = parsed
        self.file = file
        self.within: list[tuple[int, str, Section]] = []
        """The sections around this line: indentation and place of the header, section."""
        self.open: Entry | None = None
        self.open_indent = 0

    def line(self, line: str, number: int) -> None:
        text = line.strip()
        indent = len(line.expandtabs()) - len(line.expandtabs().lstrip())
        if not text or (indent == 0 and _is_comment(text)):
            return
        header = HEADER.match(text)
        if header and (indent == 0 or _is_ours(header)):
            self._header(header, indent, number)
        elif self.open is not None and indent > self.open_indent:
            self.open.value += f"\n{text}"
        elif not _is_comment(text):
            self._leave(indent)
            self._option(text, indent, number)

    def _header(self, header: re.Match[str], indent: int, number: int) -> None:
        name = header["name"]
        if not _is_comment(header["rest"]):
            self._wrong(number, f"there is text after [{name}]")
        while self.within and self.within[-1][0] >= indent:
            self.within.pop()
        section = self.parsed.sections.get(name)
        if section is None:
            section = self.parsed.sections[name] = Section(name, self.file, number)
        self.within.append((indent, f"{self.file}:{number}", section))
        self.open = None

    def _leave(self, indent: int) -> None:
        """The indentation ends: what is around goes on."""
        while len(self.within) > 1 and self.within[-1][0] > indent:
            self.within.pop()

    def _option(self, text: str, indent: int, number: int) -> None:
        key, separator, value = _split(text)
        if text.startswith("["):
            self._wrong(number, f"{text[:40]!r} lacks the ] that ends a section's name")
            return
        if not self.within:
            self._wrong(number, f"{text[:40]!r} stands before any section")
            return
        if not separator or not key:
            self._wrong(number, f"{text[:40]!r} is neither a [section] nor `option = value`")
            return
        value = _without_comment(value).strip()
        value = "" if value == '""' else value
        _, header, section = self.within[-1]
        self.open = Entry(value, self.file, number, header)
        self.open_indent = indent
        if section.options.setdefault(key, self.open) is not self.open:
            section.again.append((key, self.open))

    def _wrong(self, number: int, message: str) -> None:
        self.parsed.problems.append(Problem(f"{self.file}:{number}", message))


def _is_ours(header: re.Match[str]) -> bool:
    return bool(OURS.fullmatch(header["name"])) and _is_comment(header["rest"])


def _is_comment(text: str) -> bool:
    return text[:1] in ("", "#", ";") or text.split(None, 1)[0].lower() == "rem"


def _split(text: str) -> tuple[str, str, str]:
    """Key, the first `=` or `:`, value."""
    places = [at for at in (text.find("="), text.find(":")) if at >= 0]
    if not places:
        return text, "", ""
    at = min(places)
    return text[:at].strip(), text[at], text[at + 1 :]


def _without_comment(value: str) -> str:
    """Only the first `;` counts, and only after a blank: commands are full of others."""
    at = value.find(";")
    if at >= 0 and (at == 0 or value[at - 1].isspace()):
        return value[:at]
    return value
