"""Every way to write a variable, and what stays as written.

Each text is gone through once: what was put in for a variable is never looked at again, so values
that come from the environment arrive byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_NAMES = r"\$\((?P<round>[\w.\-]+)\)|\(\((?P<double>[\w.\-]+)\)\)|\$\{(?P<curly>circus\.[\w.\-]+)\}"
FORM = re.compile(_NAMES + r"|(?P<old>(?-i:\$WID\b))", re.IGNORECASE)
IN_ENVIRONMENT = re.compile(_NAMES + r"|\$(?P<shell>(?-i:[A-Z]+[A-Z0-9_]*))", re.IGNORECASE)
SOCKETS = "circus.sockets."


def expand(text: str, names: Mapping[str, str]) -> str:
    """Replace every variable whose name (lower case) is known; others stay as written.

    `$WID` of old files is replaced too, when `wid` is known.
    """
    if "$" not in text and "((" not in text:
        return text
    return FORM.sub(lambda found: names.get(_name(found), found[0]), text)


def expand_in_environment(text: str, names: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """The value of an environment section: `$NAME` too, which is empty when it is not defined."""

    def value(found: re.Match[str]) -> str:
        if found["shell"]:
            return environ.get(found["shell"], "")
        return names.get(_name(found), found[0])

    return IN_ENVIRONMENT.sub(value, text) if "$" in text or "((" in text else text


def environment_names(environ: Mapping[str, str]) -> dict[str, str]:
    """The names under which `expand` finds these variables."""
    names: dict[str, str] = {}
    for name, value in environ.items():
        names[f"circus.env.{name.lower()}"] = names[f"env.{name.lower()}"] = value
    return names


def named(text: str) -> Iterator[tuple[str, str]]:
    """Our variables that a text holds: (as written, name in lower case)."""
    for found in FORM.finditer(text):
        name = _name(found)
        if name.startswith("circus.") or name == "wid":
            yield found[0], name


def looked_up(text: str) -> Iterator[str]:
    """The names, in lower case, that `expand` replaces in a text when they are known."""
    return (_name(found) for found in FORM.finditer(text))


def holds_any(text: str) -> bool:
    """Whether a text has anything that may be a variable, ours or not."""
    return FORM.search(text) is not None


def sockets_named(text: str) -> tuple[str, ...]:
    """The sockets that a text asks for, in lower case, each once."""
    if "$" not in text and "((" not in text:
        return ()
    names = (name.removeprefix(SOCKETS) for _, name in named(text) if name.startswith(SOCKETS))
    return tuple(dict.fromkeys(names))


def _name(found: re.Match[str]) -> str:
    """What `names` lists it under; nothing for brackets that are not ours."""
    if found.groupdict().get("old"):
        return "wid"
    name = (found["round"] or found["double"] or found["curly"]).lower()
    return "" if found["double"] and not name.startswith("circus.") else name
