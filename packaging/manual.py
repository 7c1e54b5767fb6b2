"""The manual pages, made of the pages in docs: `python3 packaging/manual.py FOLDER`.

The pages about options and commands are written from their tables, so these are too.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DOCS = Path(__file__).parents[1] / "docs"
GENERATED = re.compile(r"^Written by `python -m .*\n", re.MULTILINE)
PICTURE = re.compile(r"^!\[.*\n", re.MULTILINE)
COMMENT = re.compile(r"^<!--.*-->\n", re.MULTILINE)
INLINE = re.compile(r"(?P<code>`+)(?P<text>.+?)(?P=code)|\*(?P<em>[^*\s][^*]*)\*|"
                    r"\[(?P<label>[^\]]+)\]\([^)\s]+\)", re.DOTALL)  # fmt: skip
ROW = re.compile(r"(?<!\\)\|")
SPECIAL = {"\\": r"\(rs", "^": r"\(ha", "~": r"\(ti", "`": r"\(ga", "'": r"\(aq", "-": r"\-"}


class Part(NamedTuple):
    """A page of docs, or one section of it, that goes into a manual page."""

    page: str
    title: str
    section: str = ""
    """The heading of the only section that is taken."""
    below: bool = False
    """Whether its sections are subsections of the title."""
    brief: bool = False
    """Whether these are many pages, each a subsection of the part before, without what follows
    its examples."""


class Manual(NamedTuple):
    """A manual page; `see` are those that it names at its end."""

    name: str
    section: int
    purpose: str
    synopsis: str
    parts: tuple[Part, ...]
    see: str


STATUSES = "reference/exit-statuses.md"
MANUALS = (
    Manual(
        "circusd", 8, "process and socket manager", "circusd [options] FILE",
        (Part("running.md", "Description"), Part(STATUSES, "Exit status", "circusd")),
        "circusctl(1), circus.ini(5), circus.service(8)",
    ),
    Manual(
        "circusctl", 1, "ask circusd what runs, and change it",
        "circusctl [options] [COMMAND [arguments]]",
        (Part("circusctl.md", "Description"), Part("reference/commands.md", "Commands", below=True),
         Part("reference/commands/*.md", "", brief=True),
         Part(STATUSES, "Exit status", "circusctl")),
        "circusd(8), circus.ini(5)",
    ),
    Manual(
        "circus-plugin", 1, "run a plugin of circusd by hand", "circus-plugin [options] PLUGIN",
        (Part("plugins.md", "Description"),),
        "circusd(8), circus.ini(5)",
    ),
    Manual(
        "circus-top", 1, "watch what circusd runs", "circus-top [options]",
        (Part("circus-top.md", "Description"),),
        "circusctl(1), circusd(8), circusd-stats(1)",
    ),
    Manual(
        "circusd-stats", 1, "publish what the workers of circusd use", "circusd-stats [options]",
        (Part("statistics.md", "Description"),),
        "circusd(8), circus.ini(5)",
    ),
    Manual(
        "circushttpd", 1, "the web console of circusd",
        "circushttpd [options] | passwd [--role ROLE] FILE USER | token [--role ROLE] FILE NAME",
        (Part("web-console.md", "Description"), Part("security.md", "Security", "The web console"),
         Part(STATUSES, "Exit status", "circushttpd")),
        "console.ini(5), circusctl(1), circusd(8)",
    ),
    Manual(
        "console.ini", 5, "configuration of the web console of circusd", "/etc/circus/console.ini",
        (Part("reference/console.md", "Description"),),
        "circushttpd(1), circus.ini(5)",
    ),
    Manual(
        "circus.ini", 5, "configuration of circusd", "/etc/circus/circus.ini",
        (Part("reference/configuration.md", "Description"),),
        "circusd(8), circusctl(1)",
    ),
    Manual(
        "circus.service", 8, "circusd as a service of systemd", "systemctl start circus.service",
        (Part("systemd.md", "Description"),),
        "circusd(8), circusctl(1), circus.ini(5), systemd.service(5)",
    ),
)  # fmt: skip


def main(folder: Path) -> None:
    """Write every manual page into the folder of its section below this one; they are made."""
    for manual in MANUALS:
        file = folder / f"man{manual.section}" / f"{manual.name}.{manual.section}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(page(manual)) + "\n", encoding="utf-8")


def page(manual: Manual) -> Iterator[str]:
    """The lines of a manual page."""
    yield f'.TH {manual.name.upper()} {manual.section} "" Circus'
    yield ".SH NAME"
    yield f"{manual.name} \\- {manual.purpose}"
    yield ".SH SYNOPSIS"
    yield f"\\fB{literal(manual.synopsis)}\\fR"
    for part in manual.parts:
        if part.title:
            yield f".SH {part.title.upper()}"
        for path in sorted(DOCS.glob(part.page)):
            yield from body(part, path)
    yield ".SH SEE ALSO"
    yield f"{manual.see}, /usr/share/doc/circus"


def body(part: Part, path: Path) -> Iterator[str]:
    """The lines of a part below its title."""
    text = path.read_text(encoding="utf-8")
    for pattern in (GENERATED, PICTURE, COMMENT):
        text = pattern.sub("", text)
    if part.brief:
        text = re.sub(r"^## For example$", "For example:", text, flags=re.MULTILINE)
        text = "#" + re.split(r"^## ", text, flags=re.MULTILINE)[0]
    if part.section:
        text = re.split(rf"^## {part.section}$", text, flags=re.MULTILINE)[1]
        text = re.split(r"^## ", text, flags=re.MULTILINE)[0]
    macro = ".SS" if part.below or part.brief else ".SH"
    for block in blocks(text):
        heading = re.match(r"(#+) (.+)", block)
        if heading is None:
            yield from paragraph(block)
        elif heading[1] != "#":
            yield f"{macro} {inline(heading[2])}"


def blocks(text: str) -> Iterator[str]:
    """What blank lines separate; code that is fenced, or indented, is one block with its blanks."""
    pattern = r"(?s:^```.*?^```$)|^ {4}.*(?:\n(?: {4}.*)?)*|^.+(?:\n(?!```).+)*"
    for found in re.finditer(pattern, text, re.MULTILINE):
        yield found[0].rstrip()


def paragraph(block: str) -> Iterator[str]:
    """Code, a table, a list or plain text."""
    if block.startswith("```"):
        yield from code(block.splitlines()[1:-1])
    elif block.startswith("    "):
        yield from code(line[4:] for line in block.splitlines())
    elif block.startswith("|"):
        yield from table(block.splitlines())
    elif block.startswith("- "):
        for item in re.split(r"^- ", block, flags=re.MULTILINE)[1:]:
            yield r".IP \(bu 2"
            yield from prose(item)
    else:
        yield ".PP"
        yield from prose(block)


def code(lines: Iterable[str]) -> Iterator[str]:
    """As it is written, indented."""
    yield from (".PP", ".RS 4", ".EX")
    for line in lines:
        yield guarded(literal(line))
    yield from (".EE", ".RE")


def table(lines: list[str]) -> Iterator[str]:
    """A row is a term and what it means, in words: a terminal is too narrow for columns."""
    titles, _, *rows = [[cell.strip() for cell in ROW.split(line)[1:-1]] for line in lines]
    for term, *cells in rows:
        named = [(title, cell) for title, cell in zip(titles[1:], cells, strict=True) if cell]
        if len(cells) == 1:
            named = [("", cell) for cell in cells]
        told = [cell for title, cell in named if not title]
        beside = "; ".join(f"{title}: {cell}" for title, cell in named if title)
        yield ".TP"
        yield guarded(inline(term))
        yield from prose(" ".join([*told, beside]).replace(r"\|", "|"))


def prose(text: str) -> Iterator[str]:
    """Running text, line by line."""
    for line in inline(text.strip()).splitlines():
        yield guarded(line.strip())


def inline(text: str) -> str:
    """Code becomes bold, links become their words."""
    done, at = [], 0
    for found in INLINE.finditer(text):
        done.append(plain(text[at : found.start()]))
        if found["text"]:
            done.append(f"\\fB{literal(found['text'])}\\fR")
        elif found["em"]:
            done.append(f"\\fI{plain(found['em'])}\\fR")
        else:
            done.append(inline(found["label"]))
        at = found.end()
    return "".join(done) + plain(text[at:])


def literal(text: str) -> str:
    """Characters that roff would make something nicer of stay what they are."""
    return "".join(SPECIAL.get(character, character) for character in text)


def plain(text: str) -> str:
    return text.replace("\\", SPECIAL["\\"])


def guarded(line: str) -> str:
    """A line of text that begins like a request is none."""
    return rf"\&{line}" if line.startswith((".", "'")) else line


if __name__ == "__main__":
    main(Path(sys.argv[1]))
