"""`%(…)s` in a value of Supervisor."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from circus.importers.draft import Unfit, literal

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM = re.compile(r"%(?:\((?P<name>\w+)\)(?P<shape>[0-9]*[sd])|(?P<percent>%)|)")
NUMBER = "process_num"
TRUE = ("true", "yes", "on", "1")
FALSE = ("false", "no", "off", "0")
"""As options are switched on and off."""


class Context(NamedTuple):
    """What holds for a whole source."""

    here: str
    host: str


def expanded(
    text: str, context: Context, names: Mapping[str, object], *, environment: bool = False
) -> str:
    """The text with what each form stands for. Raises Unfit.

    `environment`: it is the value of a variable.
    """
    literal(text, environment=environment)
    known: dict[str, object] = {"here": context.here, "host_node_name": context.host, **names}

    def replaced(found: re.Match[str]) -> str:
        name = found["name"]
        if found["percent"]:
            return "%"
        if name is None:
            raise Unfit("a % that begins nothing", "write %% for it, as Supervisor wants it")
        if name.startswith("ENV_"):
            return f"$(circus.env.{name.removeprefix('ENV_')})"
        value = known.get(name)
        if value is None:
            raise Unfit(f"nothing is known as {found[0]}", "mend it")
        if isinstance(value, str):
            return value if name == NUMBER else f"%{found['shape'].rstrip('sd')}s" % value
        return f"%{found['shape']}" % value

    return FORM.sub(replaced, text)


def names_number(text: str) -> bool:
    """Whether the number of a process is in it."""
    return any(found["name"] == NUMBER for found in FORM.finditer(text))


def plain_number(text: str) -> bool:
    """Whether that number is written without padding, wherever it is."""
    return all(
        found["shape"] in ("s", "d") for found in FORM.finditer(text) if found["name"] == NUMBER
    )
