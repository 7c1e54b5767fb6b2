"""Numbers in what circusd tells and in what options say."""

from __future__ import annotations

UNITS = "BKMGTPEZY"


def number_of(told: object) -> float:
    """A number, 0 for what is not known (`N/A`)."""
    return told if isinstance(told, int | float) else 0.0


def bytes_of(told: object) -> int:
    """A size with its unit, as `9.77K`; 0 for what is not known."""
    try:
        return parse_bytes(str(told))
    except ValueError:
        return 0


def parse_bytes(text: str) -> int:
    """The same of an option. Raises ValueError."""
    number, unit = text.strip()[:-1], text.strip()[-1:].upper()
    if not unit or unit not in UNITS:
        raise ValueError(f"{text!r} is not a size such as 200M")
    return int(float(number) * 1024 ** UNITS.index(unit))
