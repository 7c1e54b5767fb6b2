"""Files of variables in the format of systemd's EnvironmentFile."""

from __future__ import annotations

import re

from circus.config.schema import Problem
from circus.exc import ConfigError

NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


def parse(text: str) -> dict[str, str]:
    """Variables by name. Raises ConfigError with every line that is wrong.

    Comments begin with # or ;. Values may be quoted with ' or "; within double quotes a
    backslash keeps the next character from meaning anything. A backslash at the end of a line
    joins it with the next.
    """
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for number, line in _logical_lines(text):
        name, equals, value = line.partition("=")
        if not equals or not NAME.match(name.strip()):
            problems.append(Problem(f"line {number}", f"{line[:40]!r} is not NAME=value"))
            continue
        found[name.strip()] = _unquote(value.strip())
    if problems:
        raise ConfigError(problems)
    return found


def _logical_lines(text: str) -> list[tuple[int, str]]:
    lines: list[tuple[int, str]] = []
    pending = ""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.rstrip("\r")
        if not pending and (not line.strip() or line.lstrip()[0] in "#;"):
            continue
        if line.endswith("\\"):
            pending += line[:-1]
            continue
        lines.append((number, pending + line))
        pending = ""
    if pending:
        lines.append((len(text.split("\n")), pending))
    return lines


def _unquote(value: str) -> str:
    out: list[str] = []
    quote = ""
    escaped = False
    for char in value:
        if escaped:
            out.append(char)
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif quote:
            if char == quote:
                quote = ""
            else:
                out.append(char)
        elif char in "'\"":
            quote = char
        else:
            out.append(char)
    return "".join(out)
