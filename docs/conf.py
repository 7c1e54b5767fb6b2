"""How Sphinx makes one book of the pages: `make docs`. All that it needs is on this machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygments.lexer import RegexLexer, bygroups
from pygments.token import Comment, Keyword, Name, Operator, String, Whitespace

from circus import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HERE = Path(__file__).parent

project = "Circus"
author = "the authors of Circus"
project_copyright = author
version = release = __version__
extensions = ["myst_parser"]
exclude_patterns = ["changes"]  # a page has all of them
myst_heading_anchors = 4  # as where the pages are read in a repository
highlight_language = "text"
html_theme = "furo"
html_title = f"Circus {version}"
html_show_sphinx = False
html_copy_source = False
html_show_sourcelink = False
html_use_index = False
html_favicon = "../circus/web/static/favicon.svg"
html_static_path = ["book/static"]
templates_path = ["book/templates"]
html_css_files = ["book.css"]
html_js_files = ["book.js"]
BELOW = {
    "importing": "migrate/*",
    "reference/commands": "commands/*",
    "web-console": "web-console-pictures",
}
"""Pages that others stand below, in what leads through the book."""
LANGUAGES = {
    ".conf": "nginx", ".html": "html", ".ini": "ini", ".pp": "puppet", ".py": "python",
    ".rb": "ruby", ".service": "ini", ".timer": "ini", ".yml": "yaml",
}  # fmt: skip
"""Of the files of examples, by how their names end."""


def joined(_app: Sphinx, name: str, source: list[str]) -> None:
    """Three pages have their text elsewhere, where those look for it who have the tree.

    Examples, which lie beside this folder, are one of these.
    """
    if name == "changes":
        notes = sorted(HERE.glob("changes/*.md"), reverse=True)
        source[0] = "# Changes\n\nThe newest first.\n\n" + "\n".join(map(titled, notes))
    elif name == "contributing":
        text = (HERE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
        source[0] = text.replace("](docs/", "](")
    elif name == "examples":
        source[0] = gallery(HERE.parent / "examples")
    else:
        text = source[0].replace("](../examples/README.md)", "](examples.md)")
        source[0] = re.sub(r"\]\(\.\./examples/(\w+)/README\.md\)", r"](#example-\1)", text)
    source[0] = re.sub(r"^(# .+\n\n)Written by `[^`]+` from .+\n\n", r"\1", source[0])
    if name in BELOW:
        source[0] += f"\n```{{toctree}}\n:hidden:\n:glob:\n\n{BELOW[name]}\n```\n"


def titled(note: Path) -> str:
    """A note of a change below a title made of its name, with links that lead from this folder."""
    title = re.sub(r"^\d+-", "", note.stem).replace("-", " ").capitalize()
    return f"## {title}\n\n{note.read_text(encoding='utf-8').replace('](../', '](')}"


def gallery(examples: Path) -> str:
    """The table of the examples, then each with its page and its files."""
    table = (examples / "README.md").read_text(encoding="utf-8")
    folders = re.findall(r"\]\((\w+)/README\.md\)", table)
    table = re.sub(r"\[([\w.]+)\]\(\1\)", r"`\1`", table)
    return re.sub(
        r"\]\((?:\.\./)?(\w+)/README\.md\)",
        r"](#example-\1)",
        "\n".join([table, files(examples), *(exhibit(examples / folder) for folder in folders)]),
    )


def exhibit(folder: Path) -> str:
    """An example one level deeper, under a name to link to, with its files."""
    page = (folder / "README.md").read_text(encoding="utf-8").replace("](../../docs/", "](")
    return "\n".join([f"(example-{folder.name})=", deeper(page), files(folder)])


def deeper(page: str) -> str:
    """The same with each heading one level lower; what stands between fences has none."""
    parts = re.split(r"(^```.*?^```$)", page, flags=re.M | re.S)
    parts[::2] = [re.sub("^(?=#+ )", "#", text, flags=re.M) for text in parts[::2]]
    return "".join(parts)


def files(folder: Path) -> str:
    """What lies in a folder, each file as a block of code; those of circusd first."""
    found = sorted(folder.iterdir(), key=lambda path: (path.suffix != ".ini", path.name))
    return "\n".join(
        f"`{path.name}`:\n\n```{LANGUAGES[path.suffix]}\n{path.read_text(encoding='utf-8')}```\n"
        for path in found
        if path.suffix in LANGUAGES
    )


def readable(_app: Sphinx, _name: str, _template: str, context: dict[str, Any], _tree: Any) -> None:
    """Mend what a screen reader would stumble over: headings of no level, and of no words."""
    bare = re.compile(r"<th( class=\"[^\"]*\")?><p></p></th>")
    context["body"] = bare.sub(r"<td\1></td>", context.get("body", ""))
    captions = context["furo_navigation_tree"]
    context["furo_navigation_tree"] = captions.replace('="heading"', '="heading" aria-level="2"')


class Ini(RegexLexer):
    """A file as circusd reads it: in a value only a semicolon behind a blank begins a comment."""

    name = "INI"
    tokens = {  # noqa: RUF012 as the class above wants it
        "root": [
            (r"\s+", Whitespace),
            (r"[;#].*", Comment.Single),
            (r"\[.*\]", Keyword),
            (r"([^=:\n]+?)([ \t]*)([=:])", bygroups(Name.Attribute, Whitespace, Operator), "value"),
            (r".+", String),
        ],
        "value": [
            (r"[ \t];.*", Comment.Single),
            (r"\n[ \t]+(?=\S)", Whitespace),
            (r"\n", Whitespace, "#pop"),
            (r"\S+", String),
            (r"[ \t]", Whitespace),
        ],
    }


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.add_lexer("ini", Ini)
    app.connect("source-read", joined)
    app.connect("html-page-context", readable, priority=900)  # after the theme
