"""Which names a pattern means."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

from circus.exc import MessageError, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable


def matching(names: Iterable[str], pattern: str, how: str) -> list[str]:
    """Of these names, all in lower case; `how`: simple, glob or regex.

    Raises NotFound when there is none, MessageError.
    """
    lower = pattern.lower()
    known = sorted(names)
    if how == "simple":
        found = [name for name in known if name == lower]
    elif how == "glob":
        found = [name for name in known if fnmatch.fnmatchcase(name, lower)]
    elif how == "regex":
        try:
            expression = re.compile(pattern, re.IGNORECASE)  # \D is not \d
        except re.error as error:
            raise MessageError(f"cannot read the pattern {pattern!r}: {error}") from error
        found = [name for name in known if expression.match(name)]
    else:
        raise MessageError(f"unknown match method {how}")
    if not found:
        raise NotFound(f"program {lower} not found")
    return found
