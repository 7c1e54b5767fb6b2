"""What a terminal shows, with its escape sequences for colours, as an SVG picture."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

from circus.ctl.terminal import width

if TYPE_CHECKING:
    from collections.abc import Iterator

SEQUENCE = re.compile(r"\x1b\[([\d;]*)m|\x1b\(.|\x0f|\x0e")
COLORS = {31: "#ff7b72", 32: "#7ee787", 33: "#e3b341"}
PAPER, INK = "#161b22", "#e6edf3"
"""A terminal is dark on a light page and on a dark one; the frame sets it off from either."""
FRAME = "#6e7681"
CELL, LINE, EDGE = 8.4, 18, 12
"""Of a letter and a line, and around them, in points."""


class Look(NamedTuple):
    """How letters look."""

    color: str = INK
    bold: bool = False
    reverse: bool = False

    def after(self, codes: str) -> Look:
        """As a sequence changes it; what is not known here changes nothing."""
        look = self
        for code in map(int, (codes or "0").split(";")):
            if code == 0:
                look = Look()
            elif code == 1:
                look = look._replace(bold=True)
            elif code in (7, 27):
                look = look._replace(reverse=code == 7)
            elif code in COLORS or code == 39:
                look = look._replace(color=COLORS.get(code, INK))
        return look


def picture(captured: str, columns: int, lines: int, about: str) -> str:
    """The whole of it; `about` is read out to who cannot see it."""
    wide, high = columns * CELL + 2 * EDGE, lines * LINE + 2 * EDGE
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" '
        f'width="{wide:g}" height="{high:g}" role="img" font-size="14" '
        'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace">'
    )
    frame = f'<rect width="100%" height="100%" rx="8" fill="{PAPER}" stroke="{FRAME}"/>'
    drawn = [part for at, line in enumerate(looks(captured)) for part in row(at, line)]
    return "\n".join([head, f"<title>{escape(about)}</title>", frame, *drawn, "</svg>\n"])


def looks(captured: str) -> Iterator[list[tuple[str, Look]]]:
    """The letters of each line, with how they look."""
    look = Look()
    for line in captured.splitlines():
        found: list[tuple[str, Look]] = []
        at = 0
        for sequence in SEQUENCE.finditer(line):
            found += [(letter, look) for letter in line[at : sequence.start()]]
            look = look if sequence[1] is None else look.after(sequence[1])
            at = sequence.end()
        yield found + [(letter, look) for letter in line[at:]]


def row(at: int, letters: list[tuple[str, Look]]) -> Iterator[str]:
    """A line as pieces that look alike, each where its column is, whatever the font."""
    x, top = float(EDGE), EDGE + at * LINE
    for look, group in groupby(letters, key=lambda one: one[1]):
        text = "".join(letter for letter, _ in group)
        wide = width(text) * CELL
        ink = PAPER if look.reverse else look.color
        if look.reverse:
            fill = f'width="{wide:g}" height="{LINE}" fill="{look.color}"'
            yield f'<rect x="{x:g}" y="{top}" {fill}/>'
        if text.strip():
            bold = ' font-weight="bold"' if look.bold else ""
            place = f'x="{x:g}" y="{top + 13}" textLength="{wide:g}" fill="{ink}"'
            yield f'<text {place}{bold} xml:space="preserve">{escape(text)}</text>'
        x += wide
