"""Somebody at the prompt of a real shell, who presses the tab key."""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import TYPE_CHECKING

from tests.support import read_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SHELLS = {"bash": ["bash", "--noprofile", "--norc", "-i"], "zsh": ["zsh", "-f", "-i"]}
BASH_COMPLETION = ". /usr/share/bash-completion/bash_completion"
COMPINIT = "autoload -Uz compinit; compinit -u -d {dump}"
STARTS = (
    ("circusd --str", "ict "),
    ("circusctl is-act", "ive "),
    ("circus-plugin --pubs", "ub"),
    ("circus-top --rea", "donly "),
    ("circushttpd --por", "t"),
    ("circusd-stats --stats", "point"),
)
"""A command line of each program, and what the tab key adds."""
PROGRAMS = tuple(line.split()[0] for line, _ in STARTS)


@contextlib.contextmanager
def person(
    shell: str,
    first: str,
    *,
    folder: Path,
    environ: Mapping[str, str],
    inside: Sequence[str] = (),
) -> Iterator[int]:
    """The terminal of somebody's shell that has done `first`, at its prompt.

    `inside` is the beginning of a command line that runs it in another system.
    """
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *inside, *SHELLS[shell]],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={**environ, "TERM": "dumb", "HISTFILE": "/dev/null"},
    )
    os.close(theirs)
    try:
        os.write(ours, f"{first}; PS1='>'\">> \"\n".encode())
        read_until(ours, ">>> ")
        yield ours
        os.write(ours, b"exit 0\n")
        read_until(ours, None)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def type_and_see(terminal: int, *pairs: tuple[str, str]) -> None:
    """Type each of these, and read what comes of it."""
    for typed, shown in pairs:
        os.write(terminal, typed.encode())
        read_until(terminal, shown)


def tab_adds(terminal: int, line: str, rest: str) -> None:
    """Type the beginning of a line and the tab key, and see the rest; none of it is run."""
    type_and_see(terminal, (f"{line}\t", f"{line}{rest}"))
    os.write(terminal, b"\x15")
