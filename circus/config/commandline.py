"""A watcher's command line: the options it is made of, its variables, its words."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from circus.config import variables

if TYPE_CHECKING:
    from circus.config.model import WatcherConfig

OPTIONS = ("cmd", "args", "shell_args")
"""Their variables are replaced at every start of a worker, and are as written until then."""
SHELL = "/bin/sh"


def texts(config: WatcherConfig) -> Iterator[tuple[str, str]]:
    """The options and what they hold, as text."""
    for key in OPTIONS:
        value = getattr(config, key)
        yield key, value if isinstance(value, str) else " ".join(value)


def argv(config: WatcherConfig, names: Mapping[str, str]) -> tuple[str, ...]:
    """The words of one start. Raises ValueError, naming the option, when there are none."""
    cmd = variables.expand(config.cmd, names)
    args = _expanded(config.args, names)
    if config.shell:
        # text as written, words of a list quoted
        tail = args if isinstance(args, str) else shlex.join(args)
        line = f"{cmd} {tail}" if tail else cmd
        rest = words("shell_args", _expanded(config.shell_args, names))
        return (SHELL, "-c", line, *rest)
    found = (*words("cmd", cmd), *words("args", args))
    if not found:
        raise ValueError("cmd is empty")
    return found


def _expanded(value: str | tuple[str, ...], names: Mapping[str, str]) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return variables.expand(value, names)
    return tuple(variables.expand(word, names) for word in value)


def words(key: str, value: str | tuple[str, ...]) -> tuple[str, ...]:
    """The words of one of the options. Raises ValueError, naming it."""
    if not isinstance(value, str):
        return value
    try:
        return tuple(split(value) if key == "cmd" else shlex.split(value))
    except ValueError as error:
        raise ValueError(f"{key}: cannot be split into words: {str(error).lower()}") from error


def split(cmd: str) -> list[str]:
    """The words of `cmd` as a POSIX shell reads them. Raises ValueError.

    One with double quotes around the whole of it, program and arguments, is taken as if it had
    none; not when the program is a path, for there are paths with blanks.
    """
    found = shlex.split(cmd)
    text = cmd.strip()
    if len(found) == 1 and text[0] == text[-1] == '"':
        program, blank, _ = found[0].partition(" ")
        if blank and "/" not in program:
            return shlex.split(found[0])
    return found
