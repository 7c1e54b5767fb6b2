"""The modules of a configuration with commands of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circus.aside import within
from circus.config.code import beside
from circus.config.schema import Problem
from circus.resolve import importing_from, resolve_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.config.model import CircusConfig

PATIENCE = 30.0
"""Seconds that the import of a module may take."""


def import_commands(
    circus: CircusConfig,
    where: Callable[[str, str], str],
    path: str | None,
    patience: float = PATIENCE,
) -> list[Problem]:
    """Import them, which adds their commands; those that cannot be had, each with its reason.

    `where` says where an option was written. Runs user code: it blocks, but for each no longer
    than `patience`, in seconds.
    """
    return [
        Problem(where("circus", "commands"), f"commands: {reason}")
        for name in circus.commands
        if (reason := _not_had(name, path, patience))
    ]


def _not_had(name: str, path: str | None, patience: float) -> str:
    def find() -> str:
        try:
            with importing_from(beside(path)):
                resolve_name(name)
        except BaseException as error:  # noqa: BLE001 a user's module, which may raise anything
            return " ".join(str(error).split()) or type(error).__name__
        return ""

    try:
        return within(patience, find)
    except TimeoutError:
        return f"importing {name!r} takes more than {patience:g} s"
