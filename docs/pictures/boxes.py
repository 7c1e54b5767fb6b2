"""Boxes and arrows as an SVG picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PAPER, INK, FAINT, FRAME = "#ffffff", "#1f2328", "#59636e", "#8c959f"
"""Dark on white with a frame of its own, on a light page and on a dark one."""
LINE = 16
"""Of a line of text, in points."""


class Box(NamedTuple):
    """Its middle and its size in points; the first line of its text is bold."""

    x: float
    y: float
    text: str
    wide: float = 130
    high: float = 44
    tint: str = "#ddf4ff"

    def drawn(self) -> str:
        """As SVG."""
        x, y = self.x - self.wide / 2, self.y - self.high / 2
        lines = self.text.split("\n")
        top = self.y - (len(lines) - 1) * LINE / 2 + 4.5
        words = [
            label(self.x, top + at * LINE, line, bold=not at, ink=FAINT if at else INK)
            for at, line in enumerate(lines)
        ]
        place = f'x="{x:g}" y="{y:g}" width="{self.wide:g}" height="{self.high:g}"'
        frame = f'<rect {place} rx="6" fill="{self.tint}" stroke="{FRAME}"/>'
        return "\n".join([frame, *words])

    def border(self, x: float, y: float) -> tuple[float, float]:
        """Where a line from its middle to this point leaves it."""
        across, down = x - self.x, y - self.y
        reach = min(
            (self.wide / 2 + 2) / abs(across) if across else 9e9,
            (self.high / 2 + 2) / abs(down) if down else 9e9,
        )
        return self.x + across * reach, self.y + down * reach


class Arrow(NamedTuple):
    """From one box to another; `bend` is how far it swings to its right, in points.

    `at`: how far along it the text stands, from 0 to 1. `both`: with a point at either end.
    """

    start: Box
    end: Box
    text: str = ""
    bend: float = 0
    at: float = 0.5
    both: bool = False
    dashed: bool = False

    def drawn(self) -> str:
        """As SVG: a curve with its text in the middle of it."""
        across, down = self.end.x - self.start.x, self.end.y - self.start.y
        length = (across**2 + down**2) ** 0.5
        by = (
            (self.start.x + self.end.x) / 2 - down / length * self.bend,
            (self.start.y + self.end.y) / 2 + across / length * self.bend,
        )
        first, last = self.start.border(*by), self.end.border(*by)
        style = ' stroke-dasharray="5 4"' if self.dashed else ""
        style += ' marker-start="url(#point)"' if self.both else ""
        curve = " ".join(f"{number:.1f}" for number in (*by, *last))
        path = f'd="M {first[0]:.1f} {first[1]:.1f} Q {curve}"'
        line = f'<path {path} fill="none" stroke="{INK}" marker-end="url(#point)"{style}/>'
        rest = 1 - self.at
        x, y = (
            rest**2 * a + 2 * rest * self.at * b + self.at**2 * c
            for a, b, c in zip(first, by, last, strict=True)
        )
        lines = self.text.split("\n") if self.text else []
        top = y - (len(lines) - 1) * 13 / 2 + 4
        words = [label(x, top + at * 13, one, size=11, halo=True) for at, one in enumerate(lines)]
        return "\n".join([line, *words])


def label(
    x: float, y: float, text: str, *, bold: bool = False, ink: str = INK, size: int = 13,
    halo: bool = False, middle: bool = True,
) -> str:  # fmt: skip
    """A line of text around a point, or from there on."""
    style = ' font-weight="bold"' if bold else ""
    style += f' stroke="{PAPER}" stroke-width="4" paint-order="stroke"' if halo else ""
    style += "" if middle else ' text-anchor="start"'
    return f'<text x="{x:g}" y="{y:g}" fill="{ink}" font-size="{size}"{style}>{escape(text)}</text>'


def picture(wide: int, high: int, about: str, parts: Iterable[str]) -> str:
    """The whole of it; `about` is read out to who cannot see it."""
    head: Sequence[str] = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" '
        f'height="{high}" role="img" font-family="DejaVu Sans, Helvetica, sans-serif" '
        'text-anchor="middle">',
        f"<title>{escape(about)}</title>",
        '<defs><marker id="point" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" '
        f'markerHeight="8" orient="auto-start-reverse"><path d="M 0 1 L 10 5 L 0 9 z" '
        f'fill="{INK}"/></marker></defs>',
        f'<rect width="100%" height="100%" rx="8" fill="{PAPER}" stroke="{FRAME}"/>',
    )
    return "\n".join([*head, *parts, "</svg>\n"])
