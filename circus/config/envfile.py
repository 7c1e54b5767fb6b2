"""Files of variables in the format of systemd's EnvironmentFile.

Values may be quoted: between `'` everything stands for itself, between `"` a backslash takes the
meaning from `"`, `\\`, backquote and `$`. Quoted values may go over several lines. Without quotes a
backslash keeps the next character, and joins lines at their end. Nothing is expanded.
"""

from __future__ import annotations

import re

from circus.config.schema import Problem
from circus.exc import ConfigError

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
ESCAPED = '"\\`$'
"""What a backslash protects within double quotes; before anything else it is itself."""


def parse(text: str) -> dict[str, str]:
    """Variables by name. Raises ConfigError with every line that is wrong."""
    return _Parser(text.removeprefix("\ufeff").replace("\r\n", "\n")).parse()


class _Parser:
    """The state of reading one file, a character at a time."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.found: dict[str, str] = {}
        self.problems: list[Problem] = []

    def parse(self) -> dict[str, str]:
        while self.at < len(self.text):
            end = self._end_of_line()
            line = self.text[self.at : end]
            if not line.strip() or line.lstrip()[0] in "#;":
                self._go(end + 1)
            else:
                self._assignment(line, end)
        if self.problems:
            raise ConfigError(self.problems)
        return self.found

    def _assignment(self, line: str, end: int) -> None:
        name, equals, _ = line.partition("=")
        if not equals or not NAME.fullmatch(name.strip()):
            self._wrong(f"{line[:40]!r} is not NAME=value")
            self._go(end + 1)
            return
        begun = f"line {self.line}"
        self._go(self.at + len(name) + 1)
        value = self._value()
        if "\0" in value:
            say = f"{name.strip()}: a NUL byte cannot be part of it"
            self.problems.append(Problem(begun, say))
        self.found[name.strip()] = value

    def _value(self) -> str:
        """Up to the end of the line, in which quoted parts may stand one after the other."""
        parts: list[str] = []
        while True:
            while self._here() in (" ", "\t"):
                self._take()
            quote = self._here()
            if quote not in ("'", '"'):
                break
            parts.append(self._quoted(self._take()))
        return "".join(parts) + self._plain()

    def _quoted(self, quote: str) -> str:
        line = self.line
        out: list[str] = []
        while (char := self._take()) != quote:
            if not char:
                self.problems.append(Problem(f"line {line}", f"the quote {quote} is never closed"))
                break
            if char == "\\" and quote == '"':
                char = self._take()
                if char not in ESCAPED:
                    char = "" if char == "\n" else f"\\{char}"
            out.append(char)
        return "".join(out)

    def _plain(self) -> str:
        """The rest of the line; blanks at its end count only behind a backslash."""
        out: list[str] = []
        kept = 0
        while (char := self._take()) not in ("", "\n"):
            if char == "\\":
                char = self._take().removeprefix("\n")
                out.append(char)
                kept = len(out)
                continue
            out.append(char)
            if char not in " \t":
                kept = len(out)
        return "".join(out[:kept])

    def _here(self) -> str:
        return self.text[self.at : self.at + 1]

    def _take(self) -> str:
        char = self._here()
        self._go(self.at + 1)
        return char

    def _go(self, at: int) -> None:
        self.line += self.text.count("\n", self.at, at)
        self.at = at

    def _end_of_line(self) -> int:
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end

    def _wrong(self, message: str) -> None:
        self.problems.append(Problem(f"line {self.line}", message))
