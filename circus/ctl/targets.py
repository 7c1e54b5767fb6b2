"""Which watchers a command line means: names, patterns and groups."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any, NamedTuple

from circus.exc import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from circus.commands.command import Argument, Command


class Target(NamedTuple):
    """A word that names watchers, and what is asked for these alone."""

    word: str
    own: dict[str, object] = {}  # noqa: RUF012 nobody changes it

    @property
    def plain(self) -> bool:
        """Whether it is a name as it stands."""
        return not self.word.startswith("@") and not set("*?[") & set(self.word)


class Chosen(NamedTuple):
    """A watcher to act on, or a word that means none, and why not."""

    label: str
    own: dict[str, object]
    trouble: str = ""


def deal(
    command: type[Command], words: Sequence[str], groups: Sequence[str], *, literal: bool
) -> tuple[dict[str, object], tuple[Target, ...]]:
    """The words of a command as properties for all and as targets. Raises ArgumentError.

    A single plain name becomes a property, as if there were no other way; so does any single word
    if it is `literal`.
    """
    own, names = _assignments(command, words)
    shared: dict[str, object] = {}
    if names or groups or not own:
        shared = _take_trailing(command, names, others=bool(groups))
    targets = (*own, *map(Target, names), *(Target(f"@{group}") for group in groups))
    if not targets and command.rows["name"].required:
        raise _missing(command.rows["name"].word)
    if len(targets) == 1 and (literal or targets[0].plain):
        return {"name": targets[0].word, **shared, **targets[0].own}, ()
    if "pid" in shared and len(targets) > 1:
        raise ArgumentError("a PID is a worker of one watcher")
    return shared, targets


def _assignments(command: type[Command], words: Sequence[str]) -> tuple[list[Target], list[str]]:
    """`NAME=VALUE` words, and the rest."""
    if not command.assigned:
        return [], list(words)
    row = command.rows[command.assigned]
    own = []
    for word in words:
        name, equals, value = word.rpartition("=")
        if equals:
            own.append(Target(name, {row.name: _read(row, value)}))
    return own, [word for word in words if "=" not in word]


def _take_trailing(command: type[Command], names: list[str], *, others: bool) -> dict[str, object]:
    """Take what follows the names off their end: an optional number only if it reads as one."""
    found: dict[str, object] = {}
    trailing = [row for row in command.arguments if not (row.flag or row.wire_only)][1:]
    least = 0 if others else 1
    for row in reversed(trailing):
        if len(names) > least and (row.required or _reads(row, names[-1])):
            found[row.name] = _read(row, names.pop())
        elif row.required:
            raise _missing(row.word if names else f"NAME, {row.word}")
    return found


def _reads(row: Argument, word: str) -> bool:
    try:
        row.kind.read(word)
    except ArgumentError:
        return False
    return True


def _read(row: Argument, word: str) -> object:
    try:
        return row.kind.read(word)
    except ArgumentError as error:
        raise ArgumentError(f"argument {row.word}: {error}") from None


def _missing(words: str) -> ArgumentError:
    return ArgumentError(f"the following arguments are required: {words}")


def choose(
    targets: Iterable[Target], names: Iterable[str], groups: Mapping[str, Any]
) -> list[Chosen]:
    """The watchers that targets mean, each once, in the order of the targets."""
    known = {name.lower(): name for name in names}
    found: dict[str, Chosen] = {}
    for target in targets:
        matching = _matching(target.word, known, groups)
        if not matching:
            found.setdefault(target.word, Chosen(target.word, {}, _nothing(target.word)))
        for name in matching:
            found.setdefault(name.lower(), Chosen(name, target.own))
    return list(found.values())


def _matching(word: str, known: Mapping[str, str], groups: Mapping[str, Any]) -> list[str]:
    if word.lower() in known:
        return [known[word.lower()]]
    if word.startswith("@"):
        return [str(name) for name in groups.get(word[1:], [])]
    return [known[key] for key in sorted(known) if fnmatch.fnmatchcase(key, word.lower())]


def _nothing(word: str) -> str:
    if word.startswith("@"):
        return f"no watcher is in the group {word[1:]}"
    return f"program {word} not found"
