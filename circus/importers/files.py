"""Reading what somebody else wrote: what is no text is told in one line."""

from __future__ import annotations

import glob
import os
import stat
from itertools import islice

from circus.exc import CircusError

MOST = 4 << 20
"""Bytes of a file; no configuration is that long."""
MOST_FILES = 1000
"""Of one pattern; nobody has that many."""


def read(path: str) -> str:
    """The text of a file. Raises CircusError. May block."""
    try:
        with open(path, "rb", opener=_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CircusError(f"cannot read {path!r}: it is a device or a pipe, no file")
            data = file.read(MOST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CircusError(f"cannot read {path!r}: {reason}") from error
    if len(data) > MOST:
        raise CircusError(f"cannot read {path!r}: it is longer than any configuration")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        say = f"byte 0x{data[error.start]:02x} is not UTF-8 text"
        raise CircusError(f"{path}:{line}: {say}, so this is no configuration file") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise CircusError(f"{path}:{line}: a NUL byte is no text, this is no configuration file")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _at_once(path: str, flags: int) -> int:
    """Open a pipe too that nobody writes into. The caller owns the descriptor."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def matching(folder: str, pattern: str) -> list[str]:
    """The files that a pattern names, sorted; one that is not absolute is below `folder`.

    Raises CircusError. May block.
    """
    found = list(islice(glob.iglob(os.path.join(folder, pattern)), MOST_FILES + 1))
    if len(found) > MOST_FILES:
        raise CircusError(f"{pattern!r} names more than {MOST_FILES} files: mend the pattern")
    return sorted(found)


def beside(path: str, name: str) -> str | None:
    """Another file in the folder of one, if it is there."""
    found = os.path.join(os.path.dirname(path), os.path.basename(name))
    return found if os.path.isfile(found) else None
