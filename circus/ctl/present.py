"""An answer as a person or a program wants to read it."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from circus import wire
from circus.commands.foresight import steps_lines
from circus.commands.text import printable
from circus.ctl.output import complain, say
from circus.exc import CallError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from circus.commands.command import Command, Reply
    from circus.ctl.arguments import Asked
    from circus.ctl.terminal import Terminal


def present(command: type[Command], answer: Reply, asked: Asked) -> int:
    """Print an answer; the exit status tells what it says."""
    options = asked.options
    reason = wire.reason(answer)
    if options.json:
        say_json(answer, options)
    elif reason is not None:
        complain(f"error: {reason}")
    with readable():
        if reason is not None:
            return command.refused_status
        if not options.json and ((text := _text(command, answer, asked)) or not command.nothing):
            say(text)
        return command.verdict(answer)


def present_one(command: type[Command], label: str, answer: Reply, asked: Asked) -> int:
    """The same in one line, of which the watcher's name is the beginning."""
    reason = wire.reason(answer)
    if reason is not None:
        complain(f"{label}: error: {reason}")
        return command.refused_status
    with readable():
        lines = _lines(command, answer, asked).splitlines()
        say(f"{printable(label)}: {'; '.join(lines)}")
        return command.verdict(answer)


def say_json(value: Reply, options: argparse.Namespace) -> None:
    """As one line, or with `--prettify` as several."""
    import json

    say(json.dumps(value, indent=2, sort_keys=True) if options.prettify else json.dumps(value))


def terminal_of(options: argparse.Namespace) -> Terminal | None:
    """Where a table can be shown; a program that reads gets the lines that it always got."""
    from circus.ctl.terminal import terminal

    return None if options.json else terminal(options.color, os.environ)


@contextlib.contextmanager
def readable() -> Iterator[None]:
    """Raises CallError for an answer that is not what such a command answers."""
    try:
        yield
    except (LookupError, TypeError, AttributeError) as error:
        raise CallError(f"cannot read the answer: {type(error).__name__}: {error}") from error


def _text(command: type[Command], answer: Reply, asked: Asked) -> str:
    lines = _lines(command, answer, asked)
    on = terminal_of(asked.options)
    if on is None:
        return lines
    from circus.ctl.tables import TABLES

    if lines and command.verb in TABLES:
        return TABLES[command.verb](answer, on)
    return lines or command.nothing


def _lines(command: type[Command], answer: Reply, asked: Asked) -> str:
    shown = steps_lines if asked.dry_run else command.show
    return shown(printable(answer))
