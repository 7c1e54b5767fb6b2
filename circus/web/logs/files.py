"""Read on in a file that others write, move away, empty and delete meanwhile.

Nothing stays open between two answers: a place is found again by inode and by how the file begins.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import stat
import time
import zlib
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from circus.ctl.tail import backups, start_of_last
from circus.exc import CircusError, Denied
from circus.web.logs.cursor import InFile
from circus.web.logs.line import Stamps

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER_BYTES = 256 * 1024
"""Of one answer."""
LINE_BYTES = 32 * 1024
"""What is longer without an end comes in several pieces."""
HEAD_BYTES = 256
STAMP_BYTES = 1024 * 1024
"""So much is read in search of the next time, at one of the places where it is looked for."""
AT_REST = 2.0
"""Seconds after which half a line counts as one."""


class Piece(NamedTuple):
    """Some lines, where to go on, whether there is more now, and whether some may be lost."""

    lines: list[bytes]
    place: InFile
    more: bool = False
    gap: bool = False


class Limits(NamedTuple):
    """Of what is still to be answered."""

    lines: int
    size: int = ANSWER_BYTES


NOWHERE = InFile(0, 0, 0, 0, 0)
"""Before a file that is not there yet."""


def opened(path: str) -> BinaryIO | None:
    """The file, None when there is none. Raises Denied, CircusError for what is not to be read.

    The caller closes it. A link is not followed: whoever owns the folder could lead us anywhere.
    """
    if not os.path.isabs(path):
        raise CircusError(f"cannot tell where {path} is: give the stream an absolute filename")
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
        fd = os.open(path, flags)
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise Denied(_unreadable(path)) from error
    except OSError as error:
        told = "it is a link" if os.path.islink(path) else error.strerror
        raise CircusError(f"cannot read {path}: {told}") from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise CircusError(f"cannot read {path}: it is no ordinary file")
    return os.fdopen(fd, "rb")


def last(path: str, limits: Limits) -> Piece:
    """The last lines."""
    file = opened(path)
    if file is None:
        return Piece([], NOWHERE)
    with file:
        facts = os.fstat(file.fileno())
        least = max(0, facts.st_size - limits.size)
        start = start_of_last(file, limits.lines, least)
        if 0 < start <= least:
            file.seek(start)
            rest = file.readline(limits.size)
            start += len(rest) if rest.endswith(b"\n") else 0  # else all of it is one line
        at_rest = time.time() - facts.st_mtime > AT_REST
        return _read(file, start, limits, facts.st_size if at_rest else None)


def since(path: str, moment: float, stamps: Stamps, limits: Limits) -> Piece:
    """The first lines that were written at `moment` or later, as their stamps say."""
    file = opened(path)
    if file is None:
        return Piece([], NOWHERE)
    with file:
        chosen, start = file, 0
        with contextlib.ExitStack() as opened_here:
            for older in [file, *_opened_backups(path, file, opened_here)]:
                chosen = older
                start = _first_at(older, moment, stamps)
                if start:
                    break
            place = _place(chosen, start)
    return after(path, place, limits)


def after(path: str, place: InFile, limits: Limits) -> Piece:
    """What comes after a place, in this file and in those that took its name since."""
    with contextlib.ExitStack() as opened_here:
        current = opened(path)
        if current is None:
            return Piece([], place)
        opened_here.enter_context(current)
        chain, offset, gap = _chain(path, current, place, opened_here)
        lines: list[bytes] = []
        left = limits
        for file in chain:
            is_last = file is current
            seen = place.size if is_last and _inode(file) == place.inode else None
            piece = _read(file, offset, left, seen, ended=not is_last)
            lines += piece.lines
            left = Limits(limits.lines - len(lines), limits.size - sum(map(len, lines)))
            if piece.more or is_last or left.lines <= 0 or left.size <= 0:
                return piece._replace(lines=lines, more=piece.more or not is_last, gap=gap)
            offset = 0
        raise AssertionError("the file itself is always the last one")


def _chain(
    path: str, current: BinaryIO, place: InFile, opened_here: contextlib.ExitStack
) -> tuple[list[BinaryIO], int, bool]:
    """The files to read, from the one with the place on; where to begin; whether some is lost."""
    if place.inode in (0, _inode(current)) and _begins(current, place):
        return [current], place.offset, False
    newer: list[BinaryIO] = []
    for _ in range(2):  # while files are being renamed, one may be overlooked
        newer = []
        for file in _opened_backups(path, current, opened_here):
            if _is_same(file, current, place):
                return [file, *newer[::-1], current], place.offset, False
            if os.fstat(file.fileno()).st_mtime_ns > place.written:
                newer.append(file)
    return [*newer[::-1], current], 0, True


def _is_same(file: BinaryIO, current: BinaryIO, place: InFile) -> bool:
    """Whether a backup is what the place is in: the file itself, or a copy of it."""
    copied = _inode(current) == place.inode  # and emptied then
    known = _inode(file) == place.inode or (place.offset and copied) or place.offset >= HEAD_BYTES
    return bool(known) and _begins(file, place)


def _opened_backups(
    path: str, current: BinaryIO, opened_here: contextlib.ExitStack
) -> Iterator[BinaryIO]:
    """From the newest on."""
    for one in reversed(backups(path)):
        with contextlib.suppress(CircusError):
            file = opened(one.path)
            if file is not None:
                opened_here.enter_context(file)
                if _inode(file) not in (_inode(current), 0):
                    yield file


def _read(
    file: BinaryIO, offset: int, limits: Limits, seen: int | None = None, *, ended: bool = False
) -> Piece:
    """Whole lines from an offset on; with what follows the last one if nothing more will come.

    `seen`: how long the file was when it was looked at before.
    """
    size = os.fstat(file.fileno()).st_size
    file.seek(offset)
    data = file.read(max(0, min(limits.size, size - offset)))
    at_end = offset + len(data) >= size
    ended_here = at_end and (ended or seen == size)
    lines: list[bytes] = []
    begin = 0
    while begin < len(data) and len(lines) < limits.lines:
        end = data.find(b"\n", begin)
        if end >= 0:
            lines.append(data[begin:end])
            begin = end + 1
        elif ended_here or len(data) - begin >= LINE_BYTES or (not lines and not at_end):
            lines.append(data[begin:])
            begin = len(data)
        else:
            break
    more = not at_end or (begin < len(data) and len(lines) >= limits.lines)
    return Piece(lines, _place(file, offset + begin), more)


def _place(file: BinaryIO, offset: int) -> InFile:
    facts = os.fstat(file.fileno())
    return InFile(facts.st_ino, offset, _head(file, offset), facts.st_size, facts.st_mtime_ns)


def _head(file: BinaryIO, offset: int) -> int:
    file.seek(0)
    return zlib.crc32(file.read(min(offset, HEAD_BYTES)))


def _begins(file: BinaryIO, place: InFile) -> bool:
    """Whether it is the file that the place is in, as far as its content tells."""
    size = os.fstat(file.fileno()).st_size
    return size >= place.offset and _head(file, place.offset) == place.head


def _inode(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_ino


def _first_at(file: BinaryIO, moment: float, stamps: Stamps) -> int:
    """Where the first line that was written then or later begins; 0 when none here is earlier.

    By halves, as lines are in order; those without a stamp belong to the one before.
    """
    size = os.fstat(file.fileno()).st_size
    low, high, found = 0, size, size
    while low < high:
        middle = (low + high) // 2
        begin, end, at = _next_stamp(file, middle, high, stamps)
        if at is not None and at < moment:
            low = end
        else:
            found = begin if begin < high else found
            high = middle
    return found if low else 0


def _next_stamp(
    file: BinaryIO, offset: int, high: int, stamps: Stamps
) -> tuple[int, int, float | None]:
    """The first line with a stamp that begins in `offset…high`: where it begins, ends, and when.

    Without a time: where the search was given up, `high` when there is none at all.
    """
    file.seek(max(0, offset - 1))
    if offset:
        file.readline(LINE_BYTES)  # the rest of a line, or the end of one alone
    first = file.tell()
    while (begin := file.tell()) < high:
        if begin - first > STAMP_BYTES:
            return first, begin, None
        at = stamps.of(file.readline(LINE_BYTES).decode("utf-8", "replace"))
        if at is not None:
            return begin, file.tell(), at
    return high, high, None


def _unreadable(path: str) -> str:
    """What somebody has to do about it."""
    user = _name(os.geteuid())
    who = f"{path} may not be read by {user}, as which the console runs"
    try:
        facts = os.stat(path)
        group = grp.getgrgid(facts.st_gid).gr_name
    except (OSError, KeyError):
        return f"{who}: let it into the folder, with 'setfacl -m u:{user}:x' for example"
    if facts.st_mode & stat.S_IRGRP and facts.st_gid:
        return f"{who}: 'adduser {user} {group}' and a restart of the console let it"
    return f"{who}: 'setfacl -m u:{user}:r {path}' lets it"


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
