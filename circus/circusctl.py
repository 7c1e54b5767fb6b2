"""The command line: reads its arguments, asks the daemon, prints what a person or program wants."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING

from circus import __version__
from circus.ctl import arguments, exits
from circus.ctl.output import complain, say
from circus.ctl.present import present, terminal_of
from circus.exc import ArgumentError, CallError, CircusError
from circus.standard import open_what_is_closed

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from circus.client import CircusClient
    from circus.commands.command import Command

HINT = """\
A time out usually happens in one of those cases:

#1 circusd is busy, or stopped by a signal: try again, or give it longer with --timeout
#2 what listens at that endpoint is not circusd
#3 it lets only keys in, and not yours: see --curve"""


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line, or begin a session without one. Returns the exit status."""
    open_what_is_closed()
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if os.environ.get("AUTO_COMPLETE"):
        from circus.ctl.complete import complete

        return complete(os.environ)
    status = 0
    try:
        status = run(words)
        sys.stdout.flush()
    except OSError as error:
        _tell(error)
        return status or exits.FAILED
    return status


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
        return exits.USAGE
    except CircusError as error:
        return _fail(error)
    except BrokenPipeError:
        return exits.FAILED
    except KeyboardInterrupt:
        complain("")
        return exits.FAILED


def _carry_out(asked: arguments.Asked, command: type[Command]) -> int:
    if command.verb == "listen":
        from circus.ctl.listen import listen

        return listen(asked.options, **asked.properties)
    if command.verb == "keygen":
        from circus.ctl.keygen import keygen

        return keygen(**asked.properties)
    if command.verb == "import":
        from circus.ctl.importing import import_file

        return import_file(as_json=asked.options.json, **asked.properties)
    from circus.ctl.connection import connected

    if command.verb == "logs" and arguments.ssh_server(asked.options):
        raise CallError("cannot show logs of another machine: run circusctl logs there")
    with connected(asked.options) as client:
        return _ask(client, asked, command)


def _ask(client: CircusClient, asked: arguments.Asked, command: type[Command]) -> int:
    if command.verb == "logs":
        from circus.ctl.logs import show_logs

        return show_logs(client, asked.options, **asked.properties)
    if command.verb == "status" and "name" not in asked.properties:
        on = terminal_of(asked.options)
        if on is not None:
            from circus.ctl.status import show_status

            return show_status(client, asked, on)
    if asked.targets:
        from circus.ctl.several import carry_out

        return carry_out(client, command, asked)
    answer = client.call(asked.message(command), patient=command.waits or command.patient)
    return present(command, answer, asked)


def _fail(error: CircusError) -> int:
    text = str(error)
    if isinstance(error, CallError) and text == "Timed out.":
        text += f"\n{HINT}"
    complain(text)
    return exits.FAILED


def _session(options: argparse.Namespace) -> int:
    from circus.ctl.shell import Shell

    return Shell(options, run).session()


def _tell(error: OSError) -> None:
    """Of what could not be written out; a reader who has gone is no reason for a word."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            complain(f"cannot write {error.filename or 'to standard output'}: {error.strerror}")


if __name__ == "__main__":
    sys.exit(main())
