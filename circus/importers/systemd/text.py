"""Words, specifiers, times and sizes as units of systemd have them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from circus.importers.draft import Unfit, literal

if TYPE_CHECKING:
    from collections.abc import Mapping

SPECIFIER = re.compile(r"%(.)?", re.DOTALL)
VARIABLE = re.compile(r"\$(?:\$|\{(?P<curly>\w+)\}|(?P<plain>[A-Za-z_]\w*))")
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "s": " ", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
SPAN = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>[a-zA-Zµμ]*)\s*")
UNITS = {
    **dict.fromkeys(["", "s", "sec", "second", "seconds"], 1.0),
    **dict.fromkeys(["ms", "msec"], 1e-3), **dict.fromkeys(["us", "usec", "µs", "μs"], 1e-6),
    **dict.fromkeys(["m", "min", "minute", "minutes"], 60.0),
    **dict.fromkeys(["h", "hr", "hour", "hours"], 3600.0),
    **dict.fromkeys(["d", "day", "days"], 86400.0), **dict.fromkeys(["w", "week", "weeks"], 6048e2),
}  # fmt: skip
SIZE = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>[KMGTP]?)i?B?")
TRUE = ("yes", "true", "on", "1", "y", "t")


def words(text: str) -> list[str]:
    """Split as systemd does: quotes, and escapes as in C. Raises Unfit."""
    found: list[str] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        word, at = _word(text, at)
        found.append(word)
    return found


def _word(text: str, at: int) -> tuple[str, int]:
    out: list[str] = []
    quote = ""
    while at < len(text) and (quote or not text[at].isspace()):
        char = text[at]
        at += 1
        if char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        elif char == "\\":
            char, at = _escaped(text, at)
            out.append(char)
        else:
            out.append(char)
    if quote:
        raise Unfit(f"the quote {quote} is never closed", "mend it")
    return "".join(out), at


def _escaped(text: str, at: int) -> tuple[str, int]:
    char = text[at : at + 1]
    if char == "x" and re.fullmatch(r"[0-9a-fA-F]{2}", text[at + 1 : at + 3]):
        return chr(int(text[at + 1 : at + 3], 16)), at + 3
    return ESCAPES.get(char, char), at + 1


def specified(text: str, names: Mapping[str, str]) -> str:
    """With what each %x stands for. Raises Unfit."""

    def replaced(found: re.Match[str]) -> str:
        one = found[1] or ""
        if one == "%":
            return "%"
        if one not in names:
            raise Unfit(f"what %{one} stands for is known to systemd only", "write it out")
        return names[one]

    return SPECIFIER.sub(replaced, literal(text))


def seconds(text: str) -> float | None:
    """A span of time; None for `infinity`. Raises Unfit."""
    if text.strip().lower() == "infinity":
        return None
    total, at = 0.0, 0
    text = text.strip()
    while at < len(text):
        found = SPAN.match(text, at)
        if found is None or found["unit"] not in UNITS:
            raise Unfit(f"{text!r} is not a span of time", "mend it")
        total += float(found["number"]) * UNITS[found["unit"]]
        at = found.end()
    return total


def size(text: str) -> str:
    """In bytes, as text; `infinity` stays. Raises Unfit."""
    if text.strip().lower() == "infinity":
        return "infinity"
    found = SIZE.fullmatch(text.strip())
    if found is None:
        raise Unfit(f"{text!r} is no number, with K, M, G or T behind it", "mend it")
    power = " KMGTP".index(found["unit"] or " ")
    return str(int(float(found["number"]) * (1 << 10 * power)))


def is_true(text: str) -> bool:
    """Whether it is switched on."""
    return text.strip().lower() in TRUE


def number(value: float) -> str:
    """Without needless digits."""
    return f"{value:g}" if value < 1e6 else str(int(value))
