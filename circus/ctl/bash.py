"""How bash writes words, and how it wants to have them completed."""

from __future__ import annotations

from typing import NamedTuple

_SPECIAL = frozenset(" \t\"'\\$`&;|<>()*?[]{}#!~")


class Typed(NamedTuple):
    """A command line up to the cursor; `raw` is the last word as written, `quote` an open one."""

    words: list[str]
    begun: str
    raw: str
    quote: str


def read(line: str) -> Typed:
    """Take a line apart as bash does, with quotes and backslashes."""
    words: list[str] = []
    word, raw, quote, escaped = "", "", "", False
    for char in line:
        if char in " \t" and not (quote or escaped):
            if raw:
                words.append(word)
            word, raw = "", ""
            continue
        raw += char
        if escaped:
            word, escaped = word + char, False
        elif char == "\\" and quote != "'":
            escaped = True
        elif char == quote:
            quote = ""
        elif char in "\"'" and not quote:
            quote = char
        else:
            word += char
    return Typed(words, word, raw, quote)


def spelled(word: str, typed: Typed, breaks: str) -> str:
    """A word as bash wants to have it for what is typed.

    Bash completes what stands after the last of its word breaks, `=` and `:` among them, and puts
    it in as it is; where a quote is open it begins after that. `@` is the beginning of a word.
    """
    if typed.quote:
        return word
    ends = [char for char in breaks if char not in "@ \t\n"]
    at = max((typed.raw.rfind(char) for char in ends), default=-1) + 1
    rest = word[min(at, len(typed.begun)) :]
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in rest)
