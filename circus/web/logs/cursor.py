"""Where a reader is: opaque to it, and never the name of a file."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, NamedTuple

from circus.exc import MessageError

if TYPE_CHECKING:
    from collections.abc import Mapping

LENGTH_MAX = 2000


class InFile(NamedTuple):
    """A place in a file, which may have been moved away meanwhile."""

    inode: int
    offset: int
    head: int
    """A checksum of what it begins with: a file that was emptied begins with something else."""
    size: int
    """Of the file at the last look: what is no whole line and stays as it is, is one."""
    written: int
    """When it was last written to, in nanoseconds since 1970."""


class InJournal(NamedTuple):
    """A place in the journal."""

    cursor: str
    """Of the last record that was read; empty before the first."""
    state: int
    """What the journal's files looked like then: when they are the same, there is nothing new."""


class Cursor(NamedTuple):
    """Of all that a watcher writes to."""

    files: Mapping[str, InFile]
    """By stream."""
    journal: InJournal | None

    def text(self) -> str:
        """What the reader brings back."""
        found = json.dumps([self.files, self.journal], separators=(",", ":"))
        return base64.urlsafe_b64encode(found.encode()).decode().rstrip("=")


def read(text: str) -> Cursor:
    """From what was given out. Raises MessageError."""
    try:
        if len(text) > LENGTH_MAX:
            raise ValueError
        padded = text + "=" * (-len(text) % 4)
        files, journal = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        places = {str(key): InFile(*map(_whole, one)) for key, one in dict(files).items()}
        for one in places.values():
            InFile(*one)
        return Cursor(places, None if journal is None else _journal(*journal))
    except (ValueError, TypeError, RecursionError):
        raise MessageError("'cursor' isn't one that was given out here") from None


def _journal(cursor: object, state: object) -> InJournal:
    if not isinstance(cursor, str) or not cursor.isascii() or not cursor.isprintable():
        raise ValueError
    return InJournal(cursor, _whole(state))


def _whole(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError
    return value
