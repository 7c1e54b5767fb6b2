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

HEADER = re.compile(r"\[(?P<name>.+?)\]\s*(?:[#;].*|rem\b.*)?", re.IGNORECASE)
BOM = b"\xef\xbb\xbf"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
MOST = 10
"""Lines of one file of which it is told that they are not text."""
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
    unreadable: set[str] = field(default_factory=set)
    """Options whose values are not text."""

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
        """Add a file. Lines that are not UTF-8 text are told and left out."""
        if data.startswith(UTF_16):
            self.problems.append(Problem(f"{file}:1", "it is UTF-16, save it as UTF-8"))
            return
        reader = _Reader(self, file)
        binary = []
        for number, line in enumerate(data.removeprefix(BOM).split(b"\n"), 1):
            text = line.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
            reader.line(text, number, sound=not (bad := _bad_byte(line)))
            if bad:
                binary.append(Problem(f"{file}:{number}", f"byte 0x{bad.hex()} is not UTF-8 text"))
        reader.end()
        self.problems += binary[:MOST]
        if len(binary) > MOST:
            say = f"it is not text, and {len(binary) - MOST} more such lines are left out"
            self.problems.append(Problem(binary[MOST].where, say))


def _bad_byte(line: bytes) -> bytes:
    """The first that is no part of a text, or nothing."""
    if 0 in line:
        return b"\0"
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return line[error.start : error.start + 1]
    return b""


class _Reader:
    """The state of reading one file, a line at a time."""

    def __init__(self, parsed: Parsed, file: str) -> None:
        self.parsed = parsed
        self.file = file
        self.within: list[tuple[int, str, Section]] = []
        """The sections around this line: indentation and place of the header, section."""
        self.open: Entry | None = None
        self.open_indent = 0
        self.more: list[str] = []
        """The lines that go on with its value."""

    def line(self, line: str, number: int, *, sound: bool) -> None:
        """Read one. What is not `sound` is not text, and only its place and its key count."""
        text = line.strip()
        indent = len(line.expandtabs()) - len(line.expandtabs().lstrip())
        if not text or (indent == 0 and _is_comment(text)):
            return
        header = HEADER.fullmatch(text)
        if header and (indent == 0 or OURS.fullmatch(header["name"])):
            self._header(header["name"], indent, number)
        elif self.open is not None and indent > self.open_indent:
            self.more.append(text)
        elif not sound:
            self._leave(indent)
            self._unreadable(text, indent)
        elif not _is_comment(text):
            self._leave(indent)
            self._option(text, indent, number)

    def end(self) -> None:
        """What is read of an option is all of it."""
        if self.open is not None and self.more:
            self.open.value = "\n".join([self.open.value, *self.more])
        self.open, self.more = None, []

    def _header(self, name: str, indent: int, number: int) -> None:
        while self.within and self.within[-1][0] >= indent:
            self.within.pop()
        section = self.parsed.sections.get(name)
        if section is None:
            section = self.parsed.sections[name] = Section(name, self.file, number)
        self.within.append((indent, f"{self.file}:{number}", section))
        self.end()

    def _unreadable(self, text: str, indent: int) -> None:
        """What goes on with its value goes nowhere either."""
        self._begin(Entry("", self.file, 0, ""), indent)
        if self.within:
            self.within[-1][2].unreadable.add(_split(text)[0])

    def _begin(self, entry: Entry, indent: int) -> None:
        self.end()
        self.open, self.open_indent = entry, indent

    def _leave(self, indent: int) -> None:
        """The indentation ends: what is around goes on."""
        while len(self.within) > 1 and self.within[-1][0] > indent:
            self.within.pop()

    def _option(self, text: str, indent: int, number: int) -> None:
        key, separator, value = _split(text)
        if text.startswith("["):
            self._no_header(text, indent, number)
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
        entry = Entry(value, self.file, number, header)
        self._begin(entry, indent)
        if section.options.setdefault(key, entry) is not entry:
            section.again.append((key, entry))

    def _no_header(self, text: str, indent: int, number: int) -> None:
        """It is taken for one all the same: the lines below it belong to nothing else."""
        name, end, _ = text[1:].partition("]")
        if end:
            self._wrong(number, f"there is text after [{name}]")
        else:
            self._wrong(number, f"{text[:40]!r} lacks the ] that ends a section's name")
        self._header(name.strip(), indent, number)

    def _wrong(self, number: int, message: str) -> None:
        self.parsed.problems.append(Problem(f"{self.file}:{number}", message))


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
