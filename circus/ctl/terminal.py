"""What the terminal that circusctl writes to can show."""

from __future__ import annotations

import itertools
import sys
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from circus.commands.text import printable
from circus.ctl.output import columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RESET = "\x1b[0m"
BOLD = "\x1b[1m"
RED = "\x1b[31m"
GREEN = "\x1b[32m"
YELLOW = "\x1b[33m"

GAP = "  "
WIDE = 12
"""A column of no more than this is not made narrower."""


class Terminal(NamedTuple):
    """Columns of text, and whether it has colours."""

    width: int
    color: bool

    def paint(self, text: str, color: str) -> str:
        """The text in a colour, where there are any."""
        return f"{color}{text}{RESET}" if self.color and color else text


def terminal(wanted: str | None, environ: Mapping[str, str]) -> Terminal | None:
    """The one that standard output is, None when it is none and `wanted` is not `always`."""
    there = sys.stdout.isatty()
    if not there and wanted != "always":
        return None
    able = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    return Terminal(columns(environ), wanted == "always" or (able and wanted != "never"))


class Cell(NamedTuple):
    """A text that stands in a column, and its colour."""

    text: str
    color: str = ""


def table(head: Sequence[str], rows: Sequence[Sequence[str | Cell]], on: Terminal) -> str:
    """Aligned columns that fit the width: what is too long is cut with an ellipsis, never wrapped.

    The widest column gives way first, and when none is wide any more, the last one goes.
    Everything that a terminal would act on is written out.
    """
    lines = [[Cell(title, BOLD) for title in head], *([_cell(one) for one in row] for row in rows)]
    widths = [min(on.width, max(width(line[at].text) for line in lines)) for at in range(len(head))]
    _narrow(widths, on.width)
    return "\n".join(_line(line, widths, on) for line in lines)


def width(text: str) -> int:
    """How many columns a text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_char_width, text))


def cut(text: str, room: int) -> str:
    """As much of a text as fits, with an ellipsis for the rest."""
    if width(text) <= room:
        return text
    ends = itertools.accumulate(map(_char_width, text))
    kept = sum(end < room for end in ends)
    return text[:kept] + "…" if room > 0 else ""


def _char_width(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _cell(item: str | Cell) -> Cell:
    text, color = (item.text, item.color) if isinstance(item, Cell) else (item, "")
    return Cell(printable(text), color)


def _narrow(widths: list[int], room: int) -> None:
    """None is wider than `room` before: the last one that is left always fits."""
    while sum(widths) + len(GAP) * (len(widths) - 1) > room:
        widest = max(widths)
        if widest > WIDE:
            widths[widths.index(widest)] -= 1
        else:
            widths.pop()


def _line(row: Sequence[Cell], widths: Sequence[int], on: Terminal) -> str:
    parts = []
    for cell, room in zip(row, widths, strict=False):  # without the columns that went
        text = cut(cell.text, room)
        parts.append(on.paint(text, cell.color) + " " * (room - width(text)))
    return GAP.join(parts).rstrip()
