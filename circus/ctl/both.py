"""Show a watcher whose output is in files and in the journal too, in order of time.

The lines of a file have no time that could be relied on: what is shown of it at first stands where
the file was last written to. What comes later is shown as it comes.
"""

from __future__ import annotations

import json
import os
import select
import sys
from typing import TYPE_CHECKING, NamedTuple

from circus.ctl import journal
from circus.ctl.output import complain
from circus.ctl.printer import BLOCK_BYTES, LINES, Printer
from circus.ctl.tail import POLL_MS, Tail, print_all
from circus.exc import CallError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

JOURNAL = "journal"


class Part(NamedTuple):
    """Some output; `at` in seconds since 1970."""

    at: float
    place: str
    text: bytes


def show_both(
    paths: Sequence[str],
    wanted: Sequence[str],
    *,
    lines: int | None,
    since: str | None,
    follow: bool,
) -> int:
    """The last lines of each file and of the journal, or all since a time. The exit status.

    Raises CallError, CircusError.
    """
    tails = [Tail(path) for path in paths]
    printer = Printer(with_names=True)
    beginning = LINES if lines is None else lines
    try:
        records, cursor = _records(wanted, journal.last(lines, since))
        for tail in tails:
            tail.start(0 if since is not None else beginning)
            if since is not None:
                complain(f"{tail.path} has no times to look for: only new lines are shown of it")
        for part in sorted([*records, *_beginnings(tails)], key=lambda one: one.at):
            printer.write(part.place, part.text)
        sys.stdout.flush()
        if follow:
            after = f"--after-cursor={cursor}" if cursor else "--lines=0"
            _follow(tails, [*wanted, after], printer)
    finally:
        for tail in tails:
            tail.close()
    return 0


def _records(wanted: Sequence[str], how: Sequence[str]) -> tuple[list[Part], str]:
    """What the journal has, and where it ends; an empty word when there is nothing.

    Raises CallError when journalctl fails; it has said why.
    """
    found, cursor = [], ""
    with journal.journalctl([*wanted, *how, "--all"], form="json") as program:
        for line in journal.output(program):
            record = json.loads(line)
            cursor = record["__CURSOR"]
            at = int(record["__REALTIME_TIMESTAMP"]) / 1e6
            found.append(Part(at, JOURNAL, _text(record.get("MESSAGE")) + b"\n"))
    if program.returncode:
        raise CallError(f"cannot look into the journal: journalctl ended with {program.returncode}")
    return found, cursor


def _text(message: object) -> bytes:
    """As journalctl writes it: what is no text as the numbers of its bytes."""
    return bytes(message) if isinstance(message, list) else str(message or "").encode()


def _beginnings(tails: Sequence[Tail]) -> Iterator[Part]:
    for tail in tails:
        while data := tail.read():
            yield Part(tail.written, tail.path, data)


def _follow(tails: Sequence[Tail], wanted: Sequence[str], printer: Printer) -> None:
    with journal.journalctl([*wanted, "--follow"]) as program:
        fd = journal.output(program).fileno()
        ready = select.poll()
        ready.register(fd, select.POLLIN)
        ready.register(sys.stdout.fileno(), 0)  # tells of an error or the other end's going
        try:
            while True:
                events = ready.poll(POLL_MS)
                if any(one != fd for one, _ in events):
                    return
                if events:
                    data = os.read(fd, BLOCK_BYTES)
                    if not data:
                        return
                    printer.write(JOURNAL, data)
                print_all(tails, printer)
        finally:
            program.terminate()
