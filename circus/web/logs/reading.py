"""What a watcher has written, wherever that went: its files, the journal, or both."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from circus.ctl import journal as journalctl
from circus.ctl.logs import as_written, in_journal, log_files, stream_option
from circus.exc import ArgumentError, CircusError, NotFound
from circus.web.logs import files, journal
from circus.web.logs.cursor import Cursor
from circus.web.logs.files import Limits
from circus.web.logs.line import Line, Stamps, line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from circus.web.controller import Controller

STREAMS = journalctl.STREAMS
BOTH = "output"
"""Both streams, in one file."""
LINES = 200
"""At first, unless told otherwise."""
LINES_MAX = 1000


class File(NamedTuple):
    """One that circusd writes output to."""

    stream: str
    path: str
    stamps: Stamps


class Asked(NamedTuple):
    """What a reader wants."""

    lines: int = LINES
    cursor: Cursor | None = None
    """Where it was; None at first."""
    since: float | None = None
    """Where to begin, in seconds since 1970; instead of at the last lines."""
    stream: str | None = None
    """One of them only."""


class Found(NamedTuple):
    """What it gets."""

    lines: list[Line]
    cursor: str
    more: bool
    """Whether there is more already."""
    gap: bool
    """Whether lines may be missing before these: they were gone before anybody looked."""


class Output:
    """Of one watcher."""

    def __init__(self, controller: Controller, name: str) -> None:
        """Raises Refused, CallError; CircusError when it is on another machine."""
        options = controller.call("options", name=name)["options"]
        if controller.reach.server is not None:
            raise CircusError(f"the output of {name} is on {controller.reach.server}, not here")
        self.name = name
        self._controller = controller
        self._options = options
        self.files = _files(options)

    def read(self, asked: Asked) -> Found:
        """Raises Denied, NotFound, CircusError. Blocks as long as a disk does."""
        chosen = self.chosen(asked.stream)
        wanted = self.wanted(asked)
        if not chosen and not wanted:
            raise NotFound(self.nowhere(asked.stream))
        if asked.since is not None and not wanted and not all(one.stamps.known for one in chosen):
            raise ArgumentError(
                f"cannot look for a time: the file of {self.name} has none in its lines; "
                "the option time_format of its stream puts one before each"
            )
        places = {} if asked.cursor is None else dict(asked.cursor.files)
        lines, more, gap = [], False, False
        for one in chosen:
            piece = _from_file(one, asked)
            places[one.stream] = piece.place
            lines += [line(one.stream, text, one.stamps) for text in piece.lines]
            more, gap = more or piece.more, gap or piece.gap
        in_journal = None if asked.cursor is None else asked.cursor.journal
        if wanted:
            told = _from_journal(wanted, asked)
            lines += told.lines
            more, in_journal = more or told.more, told.place
        return Found(_in_order(lines), Cursor(places, in_journal).text(), more, gap)

    def chosen(self, stream: str | None) -> list[File]:
        """The files that have a stream, or all."""
        return [one for one in self.files if stream is None or one.stream in (stream, BOTH)]

    def wanted(self, asked: Asked) -> list[str]:
        """What to look for in the journal; whoever was there goes on there."""
        if asked.cursor is not None and asked.cursor.journal is None:
            return []
        options = self._options
        if asked.stream is not None:
            other = STREAMS[asked.stream == STREAMS[0]]
            options = {**options, f"{other}_stream.class": "elsewhere"}
        name = as_written(self._controller.call("status")["statuses"], self.name)
        if asked.cursor is not None:
            return journalctl.search(name, options)
        return in_journal(name, options)

    def nowhere(self, stream: str | None) -> str:
        """What is said when there is nothing to look into."""
        what = f"the {stream} of {self.name}" if stream else f"the output of {self.name}"
        return f"{what} is in no file and not in the journal"


def _files(options: Mapping[str, Any]) -> list[File]:
    found = []
    for path, streams in log_files(options).items():
        time_format = stream_option(options, streams[0], "time_format")
        name = BOTH if len(streams) > 1 else streams[0]
        found.append(File(name, path, Stamps(time_format)))
    return found


def moment(text: str) -> float:
    """Seconds since 1970 from themselves or from an ISO 8601 time. Raises ArgumentError."""
    try:
        return _finite(float(text))
    except ValueError:
        pass
    try:
        return _finite(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError, OSError):
        raise ArgumentError(
            "'since' is no time: give seconds since 1970, or one such as 2026-11-28T15:04:05Z"
        ) from None


def _finite(number: float) -> float:
    if not math.isfinite(number) or not 0 <= number < 1e11:
        raise ValueError
    return number


def _from_file(one: File, asked: Asked) -> files.Piece:
    limits = Limits(asked.lines)
    place = asked.cursor.files.get(one.stream) if asked.cursor else None
    if place is not None:
        return files.after(one.path, place, limits)
    if asked.since is not None and one.stamps.known:
        return files.since(one.path, asked.since, one.stamps, limits)
    return files.last(one.path, limits)


def _from_journal(wanted: Sequence[str], asked: Asked) -> journal.Piece:
    if asked.cursor is not None and asked.cursor.journal is not None:
        return journal.after(wanted, asked.cursor.journal, asked.lines)
    if asked.since is not None:
        return journal.since(wanted, asked.since, asked.lines)
    return journal.last(wanted, asked.lines)


def _in_order(lines: list[Line]) -> list[Line]:
    """By time when all of them have one; else stream by stream."""
    if all(one.at is not None for one in lines):
        lines.sort(key=lambda one: one.at or 0.0)
    return lines
