"""The command line: reads its arguments, asks the daemon, prints what a person or program wants."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any

from circus import __version__, wire
from circus.commands import SHELL_COMMANDS
from circus.commands.foresight import steps_lines
from circus.commands.text import printable
from circus.ctl import arguments
from circus.ctl.output import complain, say
from circus.exc import ArgumentError, CallError, CircusError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from circus.commands.base import Command

EXIT_FAILED = 1
"""No answer came, or something went wrong on this side."""
EXIT_USAGE = 2

HINT = """\
A time out usually happens in one of those cases:

#1 circusd is busy, or stopped by a signal: try again, or give it longer with --timeout
#2 what listens at that endpoint is not circusd"""


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line, or begin a session without one. Returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if os.environ.get("AUTO_COMPLETE"):
        return _complete(os.environ)
    status = run(words)
    return _flush(status)


def run(words: Sequence[str], session: argparse.Namespace | None = None) -> int:
    """Carry out one command line and tell what goes wrong. Returns the exit status."""
    try:
        asked = arguments.read(words, session)
        if asked.options.version:
            say(f"circusctl {__version__}")
            return 0
        if asked.options.help:
            say(arguments.explain(asked.command) if asked.command else arguments.overview())
            return 0
        if asked.command is None:
            return _session(asked.options)
        return _carry_out(asked, asked.command)
    except ArgumentError as error:
        complain(str(error))
        return EXIT_USAGE
    except CircusError as error:
        return _fail(error)
    except BrokenPipeError:
        return EXIT_FAILED
    except KeyboardInterrupt:
        complain("")
        return EXIT_FAILED


def _carry_out(asked: arguments.Asked, command: type[Command]) -> int:
    if command.verb == "listen":
        from circus.ctl.listen import listen

        return listen(asked.properties.get("topics") or [], asked.options)
    from circus.ctl.connection import connect

    client = connect(asked.options)
    try:
        if command.verb == "logs":
            from circus.ctl.logs import show_logs

            return show_logs(client, as_json=asked.options.json, **asked.properties)
        if asked.dry_run:
            foreseen = {"what": command.verb, "given": asked.properties}
            answer = client.call(wire.message("foresee", foreseen), patient=True)
        else:
            properties = {**asked.properties, **({"waiting": True} if asked.waiting else {})}
            message = wire.message(command.verb, properties)
            answer = client.call(message, patient=command.waits or command.patient)
        return _present(command, answer, asked)
    finally:
        client.stop()


def _present(command: type[Command], answer: dict[str, Any], asked: arguments.Asked) -> int:
    """Print an answer; the exit status tells what it says."""
    options = asked.options
    reason = wire.reason(answer)
    if options.json:
        say(_as_json(answer, prettify=options.prettify))
    elif reason is not None:
        complain(f"error: {reason}")
    try:
        if reason is not None:
            return command.refused_status
        if not options.json:
            shown = steps_lines if asked.dry_run else command.show
            say(shown(printable(answer)))
        return command.verdict(answer)
    except (LookupError, TypeError, AttributeError) as error:
        raise CallError(f"cannot read the answer: {type(error).__name__}: {error}") from error


def _as_json(answer: dict[str, Any], *, prettify: bool) -> str:
    import json

    return json.dumps(answer, indent=2, sort_keys=True) if prettify else json.dumps(answer)


def _fail(error: CircusError) -> int:
    text = str(error)
    if isinstance(error, CallError) and text == "Timed out.":
        text += f"\n{HINT}"
    complain(text)
    return EXIT_FAILED


def _session(options: argparse.Namespace) -> int:
    from circus.ctl.shell import Shell

    return Shell(options, run).session()


def _complete(environ: os._Environ[str]) -> int:
    """Print the commands that a word begins, for bash; the exit status is 1, as it always was."""
    words = environ.get("COMP_WORDS", "").split()
    at = environ.get("COMP_CWORD", "")
    if at == "1":
        begun = words[1] if len(words) > 1 else ""
        say(" ".join(one.verb for one in SHELL_COMMANDS if one.verb.startswith(begun)))
    return EXIT_FAILED


def _flush(status: int) -> int:
    """Write out what is left; a reader who has gone is no reason for a traceback."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return status or EXIT_FAILED
    return status


if __name__ == "__main__":
    sys.exit(main())
