"""One class per verb; `COMMANDS` lists them."""

from __future__ import annotations

from circus.commands.base import error, ok
from circus.commands.change import Add, Foresee, Plan, ReloadConfig, Rm, Rollback, Set
from circus.commands.command import Command, Role
from circus.commands.console import ConsoleLogin, ConsoleRedeem
from circus.commands.daemon import DStats, GlobalOptions, Keygen, Quit
from circus.commands.happened import Events, Listen
from circus.commands.importing import Import
from circus.commands.lifecycle import (
    Freeze,
    Kill,
    Reload,
    Restart,
    Signal,
    Start,
    Stop,
    Thaw,
    Wait,
)
from circus.commands.look import (
    Get,
    IsActive,
    List,
    ListSockets,
    Logs,
    NumWatchers,
    Options,
    Stats,
    Status,
    Why,
)
from circus.commands.scale import Decr, Incr, NumProcesses, Scale
from circus.exc import ConflictError, UnknownCommand
from circus.suggest import suggestion

__all__ = [
    "COMMANDS",
    "KNOWN_COMMANDS",
    "Command",
    "Role",
    "add",
    "error",
    "find",
    "get_commands",
    "ok",
    "shell_commands",
]

COMMANDS: tuple[type[Command], ...] = (
    Add,
    ConsoleLogin,
    ConsoleRedeem,
    Decr,
    DStats,
    Events,
    Foresee,
    Freeze,
    Get,
    GlobalOptions,
    Import,
    Incr,
    IsActive,
    Keygen,
    Kill,
    List,
    Listen,
    ListSockets,
    Logs,
    NumProcesses,
    NumWatchers,
    Options,
    Plan,
    Quit,
    Reload,
    ReloadConfig,
    Restart,
    Rm,
    Rollback,
    Scale,
    Set,
    Signal,
    Start,
    Stats,
    Status,
    Stop,
    Thaw,
    Wait,
    Why,
)

KNOWN_COMMANDS = list(COMMANDS)
"""With those that were added by the program that this is."""

_BY_VERB = {command.verb: command for command in COMMANDS}


def shell_commands() -> list[type[Command]]:
    """Those that circusctl has."""
    return [command for command in KNOWN_COMMANDS if not command.wire_only]


def add(command: type[Command]) -> None:
    """Take in one more. Raises ConflictError when its verb is taken.

    A module that is imported once more brings its own again.
    """
    known = _BY_VERB.get(command.verb)
    if known is not None:
        if _origin(known) != _origin(command):
            where = f"{known.__module__}.{known.__qualname__}"
            raise ConflictError(f"cannot add command {command.verb!r}: it is that of {where}")
        KNOWN_COMMANDS.remove(known)
    KNOWN_COMMANDS.append(command)
    _BY_VERB[command.verb] = command


def _origin(command: type[Command]) -> tuple[str, str]:
    return command.__module__, command.__qualname__


def find(verb: str) -> type[Command]:
    """The command that answers to a verb. Raises UnknownCommand."""
    try:
        return _BY_VERB[verb]
    except KeyError:
        hint = suggestion(verb, list(_BY_VERB))
        raise UnknownCommand(f"unknown command: {verb[:40]!r}{hint}") from None


def get_commands() -> dict[str, type[Command]]:
    """All of them by verb; a name that programs written for circus 0.19 import."""
    return dict(_BY_VERB)
