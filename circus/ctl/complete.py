"""What the tab key offers: commands, their flags, and the names of what there is."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any, NamedTuple

from circus.commands import find, shell_commands
from circus.commands.daemon import GLOBAL_OPTIONS
from circus.commands.importing import SOURCES
from circus.commands.lifecycle import CONDITIONS
from circus.ctl import arguments, bash
from circus.ctl.output import say
from circus.exc import CircusError, UnknownCommand
from circus.wire import topic_name

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from circus.commands.command import Argument, Command

PATIENCE = 0.8
"""Seconds until nothing is offered: who types does not wait."""
EXIT_STATUS = 1
"""As it always was."""


class Line(NamedTuple):
    """A command line as far as it is written: whole words, and the beginning of one."""

    words: list[str]
    begun: str


def complete(environ: Mapping[str, str]) -> int:
    """Answer a shell that asks through the environment, and never trouble who types.

    As circus 0.19: COMP_WORDS with blanks between and COMP_CWORD, the answer in one line. With
    newlines between the words the answer has a line for each. With COMP_LINE (up to the cursor)
    and COMP_WORDBREAKS of bash too, each spelled so that bash can put it in.
    """
    signal.signal(signal.SIGALRM, lambda *_: os._exit(EXIT_STATUS))
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    if "COMP_LINE" in environ:
        typed = bash.read(environ["COMP_LINE"])
        found = offers(Line(typed.words[1:], typed.begun))
        breaks = environ.get("COMP_WORDBREAKS", "")
        _answer((bash.spelled(one, typed, breaks) for one in found), "\n")
        return EXIT_STATUS
    text, at = environ.get("COMP_WORDS", ""), environ.get("COMP_CWORD", "")
    separator = "\n" if "\n" in text else " "
    words = text.split("\n") if "\n" in text else text.split()
    if at.isascii() and at.isdigit() and int(at) > 0:
        begun = words[int(at)] if int(at) < len(words) else ""
        _answer(offers(Line(words[1 : int(at)], begun)), separator)
    return EXIT_STATUS


def _answer(found: Iterable[str], separator: str) -> None:
    text = separator.join(one for one in found if "\n" not in one)
    if text:
        say(text)


def offers(line: Line, session: argparse.Namespace | None = None) -> list[str]:
    """Words that may stand where the line ends, those that begin as it does."""
    begun = line.begun.lower()
    try:
        found = _offers(line, session)
    except (CircusError, LookupError, TypeError, AttributeError):
        return []  # no daemon, or one that says other things: nothing to offer
    return [word for word in found if word.lower().startswith(begun)]


def _offers(line: Line, session: argparse.Namespace | None) -> Iterable[str]:
    start = arguments.verb_at(line.words)
    if arguments.awaits_value(line.words[:start]):
        return _COLORS if line.words[-1] == "--color" else ()
    if start == len(line.words):
        return arguments.FLAGS if line.begun.startswith("-") else _verbs()
    verb, words = line.words[start], line.words[start + 1 :]
    if verb == "help":
        return _verbs()
    try:
        command = find(verb)
    except UnknownCommand:
        return ()
    live = Live(arguments.known_options(line.words, session))
    flag = words[-1] if words else ""
    row = next((row for row in command.arguments if flag in (row.flag or "").split("/")), None)
    if flag.startswith("-") and _takes_value(row, flag):
        return _value(row.name if row else flag, live, words)
    if line.begun.startswith("-"):
        return [*arguments.flags_of(command), *arguments.FLAGS]
    return _positional(command, _plain_words(command, words), live)


def _verbs() -> list[str]:
    return [*(command.verb for command in shell_commands()), "help"]


def _takes_value(row: Argument | None, flag: str) -> bool:
    if row is not None:
        return row.kind.name != "boolean"
    return flag == "--group" or arguments.awaits_value([flag])


def _plain_words(command: type[Command], words: Sequence[str]) -> list[str]:
    """Without flags and their values."""
    rows = {flag: row for row in command.arguments for flag in (row.flag or "").split("/")}
    found = []
    value = False
    for word in words:
        if not value and not word.startswith("-"):
            found.append(word)
        value = not value and word.startswith("-") and _takes_value(rows.get(word), word)
    return found


def _positional(command: type[Command], words: list[str], live: Live) -> Iterable[str]:
    rows = [row for row in command.arguments if not (row.flag or row.wire_only)]
    if not rows or command.verb == "add":  # a new name, and a program
        return ()
    if command.several:
        further = [word for row in rows[1:] if words for word in _value(row.name, live, words)]
        names = [word for word in live.names() if word not in words]
        return [*names, *(f"@{group}" for group in live.groups()), *further]
    if len(words) >= len(rows) and not rows[-1].kind.many:
        return ()
    row = rows[min(len(words), len(rows) - 1)]
    if row.name == "options" and len(words) % 2 == 0:  # the value of one
        return ()
    return _value(row.name, live, words)


def _value(name: str, live: Live, words: Sequence[str]) -> Iterable[str]:
    """What an argument of that name can be."""
    source = _SOURCES.get(name)
    return source(live, words) if source else ()


class Live:
    """What the daemon tells about what there is. Raises CallError when there is none."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._status: dict[str, Any] | None = None

    def names(self) -> list[str]:
        """Of all watchers."""
        return [str(name) for name in self._all()["statuses"]]

    def groups(self) -> list[str]:
        """Of watchers."""
        return [str(name) for name in self._all().get("groups", {})]

    def pids(self, name: str) -> list[str]:
        """Workers of a watcher."""
        return [str(pid) for pid in self._ask("list", name=name)["pids"]]

    def options(self, name: str) -> list[str]:
        """Keys of a watcher's options."""
        return [str(key) for key in self._ask("options", name=name)["options"]]

    def _all(self) -> dict[str, Any]:
        if self._status is None:
            self._status = self._ask("status")
        return self._status

    def _ask(self, command: str, **properties: str) -> dict[str, Any]:
        from circus.ctl.connection import connected

        if arguments.ssh_server(self._options) and self._options.reach is None:
            return {}  # a connection of its own takes long, and may ask questions
        with connected(self._options) as client:
            return client.send_message(command, **properties)


def _signals(_live: Live, _words: Sequence[str]) -> list[str]:
    return [one.name.removeprefix("SIG") for one in signal.Signals]


def _pids(live: Live, words: Sequence[str]) -> list[str]:
    return live.pids(words[0]) if len(words) == 1 else []


def _option_names(live: Live, words: Sequence[str]) -> list[str]:
    return live.options(words[0])


def _topics(live: Live, _words: Sequence[str]) -> list[str]:
    return [f"watcher.{topic_name(name)}." for name in live.names()]


_COLORS = ("auto", "always", "never")
_SOURCES: dict[str, Callable[[Live, Sequence[str]], Iterable[str]]] = {
    "--color": lambda _live, _words: _COLORS,
    "--group": lambda live, _words: live.groups(),
    "keys": _option_names,
    "match": lambda _live, _words: ("simple", "glob", "regex"),
    "name": lambda live, _words: live.names(),
    "names": lambda live, _words: live.names(),
    "option": lambda _live, _words: GLOBAL_OPTIONS,
    "options": _option_names,
    "pid": _pids,
    "process": _pids,
    "signum": _signals,
    "source": lambda _live, _words: SOURCES,
    "topics": _topics,
    "until": lambda _live, _words: CONDITIONS,
}
"""By the name that the argument has in every command, or by the flag."""
