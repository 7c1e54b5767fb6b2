"""What somebody may have meant who wrote something that does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 40
"""Letters of a word that are looked at: comparing takes its time, and strangers send words."""


def suggestion(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """`, did you mean 'x'?` to append to a complaint, or nothing."""
    import difflib  # mistakes are rare, and it is not small

    known = list(known)
    near = difflib.get_close_matches(word[:LONGEST], known, n=1, cutoff=cutoff)
    if not near:  # the same in other letters is near, however few letters there are
        near = [name for name in known if name.lower() == word.lower()][:1]
    return f", did you mean {near[0]!r}?" if near else ""
