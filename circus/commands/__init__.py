"""One class per verb; `COMMANDS` lists them."""

from __future__ import annotations

from circus.commands.base import Command, Role
from circus.commands.change import Add, Foresee, Plan, ReloadConfig, Rm, Rollback, Set
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
from circus.exc import UnknownCommand
from circus.suggest import suggestion

__all__ = ["COMMANDS", "SHELL_COMMANDS", "Command", "Role", "find", "get_commands"]

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

SHELL_COMMANDS = tuple(command for command in COMMANDS if not command.wire_only)
"""Those that circusctl has."""

_BY_VERB = {command.verb: command for command in COMMANDS}


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
