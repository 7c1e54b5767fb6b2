"""What a command line asks for, read with the rows of the command that it names."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from circus import wire
from circus.commands import find, shell_commands
from circus.ctl.output import columns
from circus.ctl.targets import Target, deal
from circus.exc import ArgumentError, MessageError, UnknownCommand

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from circus.commands.command import Argument, Command

USAGE = "circusctl [options] command [args]"
WORDS = "words"


def seconds(text: str) -> float:
    """A time that somebody is ready to wait. Raises ArgumentTypeError."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a number of seconds above 0")
    return number


# flag, what argparse wants to know about it
_OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--endpoint", {"help": "connection endpoint"}),
    ("--json", {"help": "output to JSON", "action": "store_true"}),
    ("--prettify", {"help": "prettify output", "action": "store_true"}),
    ("--color", {"help": "colour (default: auto)", "choices": ("auto", "always", "never")}),
    ("-H/--host", {"help": "the circusd of another machine, [user@]host[:port], through ssh"}),
    ("--ssh", {"help": "SSH server in the format user@host:port"}),
    ("--ssh_keyfile", {"help": "the key to authorise the user with", "metavar": "FILE"}),
    ("--curve", {"help": "your key for a tcp:// endpoint that takes keys", "metavar": "FILE"}),
    ("--commands", {"help": "a module with commands of your own", "metavar": "MODULE"}),
    ("--timeout", {"help": "seconds to wait for an answer (default: 5)", "type": seconds}),
    ("--version", {"help": "display version and exit", "action": "store_true"}),
    ("-h/--help", {"help": "show help and exit", "action": "store_true"}),
)
FLAGS = tuple(name for flag, _ in _OPTIONS for name in flag.split("/"))
_WITH_VALUE = frozenset(
    name for flag, shape in _OPTIONS if "action" not in shape for name in flag.split("/")
)


class Asked(NamedTuple):
    """A command and what goes with it; `command` is None for help or a version alone."""

    command: type[Command] | None
    properties: dict[str, Any]
    waiting: bool
    dry_run: bool
    options: argparse.Namespace
    targets: tuple[Target, ...] = ()
    """What it is to be done to, when that is not a single plain name in `properties`."""

    def message(
        self, command: type[Command], properties: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """What to send; with other properties for a single target."""
        properties = self.properties if properties is None else properties
        if self.dry_run:
            return wire.message("foresee", {"what": command.verb, "given": properties})
        return wire.message(
            command.verb, {**properties, **({"waiting": True} if self.waiting else {})}
        )


class _Parser(argparse.ArgumentParser):
    """Tells what is wrong by an exception, so that an interactive session goes on."""

    def __init__(self, prog: str, usage: str) -> None:
        super().__init__(
            prog, usage, add_help=False, allow_abbrev=False, formatter_class=_formatter
        )

    def error(self, message: str) -> NoReturn:
        raise ArgumentError(f"usage: {self.usage}\n{self.prog}: error: {message}")


def read(words: Sequence[str], session: argparse.Namespace | None = None) -> Asked:
    """What the words ask for. Raises ArgumentError, ImportStringError for `--commands`.

    `session`: options that hold already.
    """
    start = verb_at(words)
    options = _options(session)
    if start:
        _options_parser().parse_args(words[:start], options)
    if options.commands:
        from circus.resolve import resolve_name

        resolve_name(options.commands)  # who declares a command there has added it
    if start == len(words):
        return Asked(None, {}, waiting=False, dry_run=False, options=options)
    verb, rest = words[start], list(words[start + 1 :])
    if verb == "help":
        options.help = True
        if not rest:
            return Asked(None, {}, waiting=False, dry_run=False, options=options)
        verb, *rest = rest
    return _read_command(_command(verb), rest, options)


def overview() -> str:
    """Help on circusctl itself."""
    usage, _, options = _options_parser().format_help().partition("\n\n")
    lines = [f"  {command.verb:<21} {command.title()}" for command in shell_commands()]
    about = ["", "Controls a Circus daemon", "", "Commands:", *lines, "", options.rstrip()]
    return "\n".join([usage, *about])


def explain(command: type[Command]) -> str:
    """Help on one command; its first line is the title."""
    about = [command.title(), "", command.prose(), ""] if command.prose() else [command.title(), ""]
    return "\n".join([*about, _command_parser(command).format_help().rstrip()])


def awaits_value(words: Sequence[str]) -> bool:
    """Whether the last of these words is an option, and its value the next."""
    at = 0
    while at < len(words):
        at += 2 if words[at] in _WITH_VALUE else 1
    return at > len(words)


def known_options(words: Sequence[str], session: argparse.Namespace | None) -> argparse.Namespace:
    """The options among words that are not complete yet. Raises ArgumentError."""
    return _options_parser().parse_known_args(words, _options(session))[0]


def ssh_server(options: argparse.Namespace) -> str | None:
    """Through which the daemon is to be reached, if it is another machine's."""
    server: str | None = options.host or options.ssh
    return server


def flags_of(command: type[Command]) -> list[str]:
    """The flags that a command takes besides those of all."""
    found = [flag for row in command.arguments for flag in (row.flag or "").split("/") if flag]
    found += ["--group"] if command.several else []
    found += ["--waiting", "--dry-run"] if command.waits else []
    return found


def verb_at(words: Sequence[str]) -> int:
    """Where the options before the command end."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in _WITH_VALUE else 1
    return min(at, len(words))


def _options(session: argparse.Namespace | None) -> argparse.Namespace:
    """Those that hold before anything is read; `reach` is the connection of a session."""
    options = argparse.Namespace(**vars(session or _options_parser().parse_args([])))
    vars(options).setdefault("reach", None)
    return options


def _options_parser() -> _Parser:
    parser = _Parser("circusctl", USAGE)
    for flag, shape in _OPTIONS:
        parser.add_argument(*flag.split("/"), **shape)
    return parser


def _formatter(prog: str) -> argparse.HelpFormatter:
    """argparse finds out the width for itself, with modules that take longer than all of this."""
    return argparse.HelpFormatter(prog, width=max(columns(os.environ), 40) - 2)


def _command(verb: str) -> type[Command]:
    try:
        return find(verb)
    except UnknownCommand as error:
        raise ArgumentError(
            f"usage: {USAGE}\ncircusctl: error: unrecognized arguments: {verb}\n{error}"
        ) from None


def _read_command(command: type[Command], words: list[str], options: argparse.Namespace) -> Asked:
    own = words[:1] if command.verb == "add" else words  # the rest belongs to the program
    if options.help or "-h" in own or "--help" in own:
        options.help = True
        return Asked(command, {}, waiting=False, dry_run=False, options=options)
    parser = _command_parser(command, dealt=command.several)
    if command.verb == "add":
        given = vars(parser.parse_args(words))
    else:
        given = vars(parser.parse_intermixed_args(words))
    positional = given.pop(WORDS, [])
    groups = given.pop("group", [])
    names = {row.name for row in command.arguments}
    properties = {key: given.pop(key) for key in list(given) if key in names}
    waiting, dry_run = given.pop("waiting", False), given.pop("dry_run", False)
    vars(options).update(given)
    try:
        targets: tuple[Target, ...] = ()
        if command.several:
            found, targets = deal(
                command, positional, groups, literal=bool(properties.get("match"))
            )
            properties |= found
        properties = command.properties(properties)
        if command.local:  # nobody else will look at them
            command.from_properties(properties)
        return Asked(command, properties, waiting, dry_run, options, targets)
    except (ArgumentError, MessageError) as error:
        parser.error(str(error))


def _command_parser(command: type[Command], *, dealt: bool = False) -> _Parser:
    """`dealt`: the words are not told apart yet; argparse cannot say which of them are names."""
    parser = _Parser(f"circusctl {command.verb}", command.shell_form().replace("%", "%%"))
    taken: set[str] = set()
    if dealt:
        parser.add_argument(WORDS, nargs="*")
    for row in command.arguments:
        flags = row.flag.split("/") if row.flag else []
        if not row.wire_only and (flags or not dealt):
            parser.add_argument(*(flags or [row.name]), **_shape(row, positional=not flags))
            taken.update(flags)
    if command.several:
        parser.add_argument(
            "--group", action="append", default=[], help="all watchers of this group"
        )
    if command.waits:
        parser.add_argument("--waiting", action="store_true", help="wait until it is done")
        parser.add_argument("--dry-run", action="store_true", help="only tell what it would do")
    for flag, shape in _OPTIONS:
        if flag not in taken:
            parser.add_argument(*flag.split("/"), **{**shape, "default": argparse.SUPPRESS})
    return parser


def _shape(row: Argument, *, positional: bool) -> dict[str, Any]:
    """What argparse wants to know about an argument of a command."""
    shape: dict[str, Any] = {"help": row.doc}
    if not positional:
        shape["dest"] = row.name
    if row.kind.name == "boolean":
        return {**shape, "action": "store_false" if row.default else "store_true"}
    shape |= {"metavar": row.word, "type": _reader(row)}
    if positional:
        shape["nargs"] = _number(row)
    return shape


def _number(row: Argument) -> str | None:
    """How many words a positional argument takes."""
    if row.kind.rest:
        return argparse.REMAINDER
    if row.kind.many:
        return "+" if row.required else "*"
    return None if row.required else "?"


def _reader(row: Argument) -> Callable[[str], object]:
    def read_word(text: str) -> object:
        try:
            return row.kind.read(text)
        except ArgumentError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read_word
