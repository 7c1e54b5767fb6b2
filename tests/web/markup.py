"""What a page is made of, read by a parser that believes nothing."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser
from typing import NamedTuple

INLINE = frozenset({"a", "b", "code", "span", "strong", "time", "kbd"})
VOID = frozenset({"input", "meta", "link", "br", "hr", "img"})


class Element(NamedTuple):
    """One start tag and the text below it."""

    tag: str
    attributes: dict[str, str]
    text: list[str]
    within: tuple[str, ...]
    """The tags around it, the outermost first."""

    @property
    def words(self) -> str:
        """The text, with single spaces."""
        return " ".join("".join(self.text).split())


class Markup(HTMLParser):
    """All elements of a page. Raises AssertionError for tags that do not nest."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(page)
        self.close()
        assert not self._open, [one.tag for one in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = Counter(name for name, _ in attrs)
        assert max(names.values(), default=1) == 1, (tag, attrs)
        given = {name: value or "" for name, value in attrs}
        element = Element(tag, given, [], tuple(one.tag for one in self._open))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, tag
        assert self._open[-1].tag == tag, (tag, self._open[-1])
        if tag not in INLINE:
            self.handle_data(" ")
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for one in self._open:
            one.text.append(data)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Those that have these attributes; `_` stands for `-`."""
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        return [
            one
            for one in self.elements
            if one.tag == tag and wanted.items() <= one.attributes.items()
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        """The only one."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, (tag, attributes, len(found))
        return found[0]

    @property
    def messages(self) -> list[str]:
        """What the visitor is told at the top."""
        return [one.words for one in self.all("p", class_="message")]
