"""Every way to write a variable, and what stays as written."""

from __future__ import annotations

import re
from collections.abc import Mapping

FORM = re.compile(
    r"\$\((?P<round>[\w.\-]+)\)|\(\((?P<double>[\w.\-]+)\)\)|\$\{(?P<curly>circus\.[\w.\-]+)\}",
    re.IGNORECASE,
)
OLD_WID = re.compile(r"\$WID\b")
SHELL_NAME = re.compile(r"\$([A-Z]+[A-Z0-9_]*)")
LOADED = ("circus.env.",)


def expand(text: str, names: Mapping[str, str]) -> str:
    """Replace every variable whose name (lower case) is known; others stay as written.

    `$WID` of old files is replaced too, when `wid` is known.
    """
    if "$" not in text and "((" not in text:
        return text

    def value(found: re.Match[str]) -> str:
        name = (found["round"] or found["double"] or found["curly"]).lower()
        if found["double"] and not name.startswith("circus."):
            return found[0]
        return names.get(name, found[0])

    text = FORM.sub(value, text)
    if "wid" in names:
        text = OLD_WID.sub(names["wid"], text)
    return text


def expand_environment(text: str, environ: Mapping[str, str]) -> str:
    """`$NAME` in the value of an environment section; what is not defined becomes empty."""
    return SHELL_NAME.sub(lambda found: environ.get(found[1], ""), text)


def environment_names(environ: Mapping[str, str]) -> dict[str, str]:
    """The names under which `expand` finds these variables."""
    return {f"circus.env.{name.lower()}": value for name, value in environ.items()}


def sockets_named(text: str) -> set[str]:
    """The sockets that a command asks for, in lower case."""
    names = (
        (found["round"] or found["double"] or found["curly"]).lower()
        for found in FORM.finditer(text)
    )
    return {name.removeprefix("circus.sockets.") for name in names if "circus.sockets." in name}
