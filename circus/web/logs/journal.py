"""Read on in the journal, as journalctl finds it for the user of the console."""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from circus.ctl.journal import journalctl, output
from circus.exc import Denied
from circus.web.logs.cursor import InJournal
from circus.web.logs.files import ANSWER_BYTES
from circus.web.logs.line import SEVERITIES, Line

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence

PLACES = (Path("/var/log/journal"), Path("/run/log/journal"))
FIELDS = "MESSAGE,PRIORITY,CIRCUS_STREAM,_TRANSPORT"
AT_ONCE = threading.BoundedSemaphore(4)
"""Programs that look into the journal at the same time; others wait for their turn."""
CURSOR = re.compile(r"[0-9A-Za-z=;.:_-]*")


class Piece(NamedTuple):
    """Some lines, where to go on, and whether there is more now."""

    lines: list[Line]
    place: InJournal
    more: bool = False


def last(wanted: Sequence[str], lines: int) -> Piece:
    """The last lines. Raises CallError without a journal, Denied when it is not for us."""
    state = _state()
    piece = _read(wanted, [f"--lines={lines}"], lines, state)
    if piece.place.cursor:
        return piece
    _may_read()
    return piece._replace(place=_read([], ["--lines=1"], 1, state).place)


def since(wanted: Sequence[str], moment: float, lines: int) -> Piece:
    """The first lines that were written then or later."""
    piece = _read(wanted, [f"--since=@{moment:.0f}"], lines, _state())
    return piece if piece.place.cursor else last(wanted, 0)


def after(wanted: Sequence[str], place: InJournal, lines: int) -> Piece:
    """What comes after a place. Costs a look at a folder while nothing is written at all."""
    state = _state()
    if place.state == state and place.cursor:
        return Piece([], place)
    how = [f"--after-cursor={place.cursor}"] if CURSOR.fullmatch(place.cursor) else []
    piece = _read(wanted, how if place.cursor else [], lines, state)
    return piece if piece.place.cursor else Piece([], InJournal(place.cursor, state))


def _read(wanted: Sequence[str], how: Sequence[str], lines: int, state: int) -> Piece:
    found: list[Line] = []
    cursor, size, more = "", 0, False
    with _program([*how, "--all", f"--output-fields={FIELDS}", *wanted]) as program:
        for text in output(program):
            if len(found) >= lines > 0 or size > ANSWER_BYTES:
                more = True
                break
            record = json.loads(text)
            found.append(_line(record))
            size += len(text)
            cursor = record["__CURSOR"]
    # with more to come the next look has to be a real one
    return Piece(found, InJournal(cursor, 0 if more else state), more)


@contextlib.contextmanager
def _program(arguments: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Ends with the block, whatever it has not said yet."""
    with AT_ONCE, journalctl(arguments, "json") as program:
        try:
            yield program
        finally:
            program.kill()


def _line(record: dict[str, Any]) -> Line:
    message = record.get("MESSAGE") or ""
    if isinstance(message, list):  # of numbers, when it is not UTF-8
        message = bytes(message).decode("utf-8", "replace")
    priority = str(record.get("PRIORITY", ""))
    number = int(priority) if priority.isdecimal() else len(SEVERITIES)
    return Line(
        str(record.get("CIRCUS_STREAM", "stdout")),
        str(message),
        int(record["__REALTIME_TIMESTAMP"]) / 1e6,
        SEVERITIES[number] if number < len(SEVERITIES) else None,
    )


def _folders() -> Iterator[str]:
    """Where the journals of machines are."""
    for place in PLACES:
        with contextlib.suppress(OSError):
            yield from (machine.path for machine in os.scandir(place))


def _journals() -> Iterator[os.DirEntry[str]]:
    """Their files, those that are still written to among them, as far as we may see them."""
    for folder in _folders():
        with contextlib.suppress(OSError):
            yield from os.scandir(folder)


def _state() -> int:
    """Another number after each record: journald tells so those that watch its files."""
    newest = 0
    for entry in _journals():
        with contextlib.suppress(OSError):
            newest = max(newest, entry.stat().st_mtime_ns)
    return newest


def _may_read() -> None:
    """Raises Denied when there is a journal of the system that we cannot open, or not even see."""
    systems = [one.path for one in _journals() if one.name.startswith("system")]
    shut = not all(os.access(folder, os.R_OK) for folder in _folders())
    if (systems or shut) and not any(os.access(path, os.R_OK) for path in systems):
        raise Denied(
            "the journal may not be read by the user of the console: add that to the group "
            "systemd-journal and start the console again"
        )
