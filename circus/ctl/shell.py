"""An interactive session: the same commands, line by line."""

from __future__ import annotations

import cmd
import contextlib
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circus import __version__
from circus.commands import find, shell_commands
from circus.ctl import arguments, exits
from circus.ctl.complete import Line, offers
from circus.ctl.connection import reach_of
from circus.ctl.output import complain, say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    Run = Callable[[list[str], argparse.Namespace], int]

HISTORY_LINES = 1000


class Shell(cmd.Cmd):
    """Reads commands until end of file; one that fails does not end it.

    `run` carries out the words of a line and returns an exit status.
    """

    prompt = "(circusctl) "

    def __init__(self, options: argparse.Namespace, run: Run) -> None:
        super().__init__()
        self._options = options
        self._options.reach = reach_of(options)  # one for all commands
        self._run = run
        self._status = 0

    def session(self) -> int:
        """All of it; the exit status is that of the last command."""
        say(f"circusctl {__version__}")
        try:
            self._run(["status"], self._options)
            sys.stdout.flush()
            with _history():
                self.cmdloop()
        except KeyboardInterrupt:
            say("")
        finally:
            self._options.reach.close()
        return self._status

    def onecmd(self, line: str) -> bool:
        """Carry out a line. True ends the session."""
        try:
            words = shlex.split(line)
        except ValueError as error:
            complain(f"*** {error}")
            return False
        if words == ["EOF"]:
            say("")
            return True
        if words:
            self._carry_out(words, line)
            sys.stdout.flush()
        return False

    def _carry_out(self, words: list[str], line: str) -> None:
        if words[0] in ("help", "?"):
            self._help(words[1] if len(words) > 1 else "")
        elif words[0] in _verbs() or words[0].startswith("-"):
            self._status = self._run(words, self._options)
        else:
            say(f"*** Unknown syntax: {line}")
            self._status = exits.USAGE

    def _help(self, verb: str) -> None:
        if verb in _verbs():
            say(arguments.explain(find(verb)))
        elif verb:
            say(f"*** No help on {verb}")
        else:
            say(self.doc_leader)
            self.print_topics(self.doc_header, [*_verbs(), "help"], 15, 80)

    # -- completion -----------------------------------------------------------------------------

    def completenames(self, text: str, *ignored: Any) -> list[str]:
        """Commands that begin so."""
        return offers(Line([], text), self._options)

    def completedefault(self, *ignored: Any) -> list[str]:
        """What may follow the words before."""
        text, line, begin = str(ignored[0]), str(ignored[1]), int(ignored[2])
        return offers(Line(line[:begin].split(), text), self._options)


def history_file(environ: dict[str, str]) -> Path:
    """Where lines are kept from one session to the next."""
    state = environ.get("XDG_STATE_HOME") or os.path.join(environ.get("HOME", "/"), ".local/state")
    return Path(state) / "circus" / "history"


@contextlib.contextmanager
def _history() -> Iterator[None]:
    """Earlier lines at hand, and these ones kept; only where a person types."""
    if not sys.stdin.isatty():
        yield
        return
    try:
        import readline
    except ImportError:  # a Python built without it
        yield
        return
    path = history_file(dict(os.environ))
    readline.set_completer_delims(" \t\n")
    readline.set_history_length(HISTORY_LINES)
    with contextlib.suppress(OSError):
        readline.read_history_file(path)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            readline.write_history_file(path)


def _verbs() -> list[str]:
    return [command.verb for command in shell_commands()]
