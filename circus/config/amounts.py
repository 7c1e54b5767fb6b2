"""How much of a machine: bytes and parts of a processor, as they are read and written."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

SIZE = re.compile(r"([0-9]{1,19})([KMGT]?)B?", re.IGNORECASE)
UNITS = {unit: 1 << 10 * power for power, unit in enumerate(("", "K", "M", "G", "T"))}
PERCENTAGE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?%")
LEAST_PERCENTAGE = 1.0
"""The kernel hands out the processor in pieces that are no smaller than a hundredth of one."""
INFINITY = "infinity"


def or_infinity(parse: Callable[[object], Any]) -> Callable[[object], Any]:
    """No limit is None."""

    def parse_both(value: object) -> Any:
        if value is None or str(value).strip().lower() == INFINITY:
            return None
        return parse(value)

    return parse_both


def size(value: object) -> int:
    """In bytes. Raises ValueError, as those below do."""
    found = None if isinstance(value, bool) else SIZE.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(f"{value!r} is not a size such as 512M or 2G, nor {INFINITY}")
    number, unit = found.groups()
    bytes_meant = int(number) * UNITS[unit.upper()]
    if not 0 < bytes_meant < 2**63:
        raise ValueError(f"{value!r} is not a size that any machine has (see {INFINITY})")
    return bytes_meant


def format_size(value: int | None) -> str:
    """As it is written: in the greatest unit that needs no fraction."""
    if value is None:
        return INFINITY
    unit, one = next(item for item in reversed(UNITS.items()) if value % item[1] == 0)
    return f"{value // one}{unit}"


def percentage(value: object) -> float:
    """In hundredths of one processor."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    found = PERCENTAGE.fullmatch(f"{value:.3f}%" if is_number else str(value).strip())
    if found is None:
        raise ValueError(f"{value!r} is not a part of one processor such as 50% or 200%")
    number = float(found[1])
    if number < LEAST_PERCENTAGE:
        raise ValueError(f"{value!r} is below {LEAST_PERCENTAGE:g}%, the least that can be had")
    return number


def format_percentage(value: float | None) -> str:
    """As it is written."""
    return INFINITY if value is None else f"{value:.12g}%"
