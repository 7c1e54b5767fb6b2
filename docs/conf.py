"""How Sphinx makes one book of the pages: `make docs`. All that it needs is on this machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

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


def joined(_app: Sphinx, name: str, source: list[str]) -> None:
    """Two pages have their text elsewhere, where those look for it who have the tree."""
    if name == "changes":
        notes = sorted(HERE.glob("changes/*.md"), reverse=True)
        source[0] = "# Changes\n\nThe newest first.\n\n" + "\n".join(map(titled, notes))
    elif name == "contributing":
        text = (HERE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
        source[0] = text.replace("](docs/", "](")


def titled(note: Path) -> str:
    """A note of a change below a title made of its name, with links that lead from this folder."""
    title = re.sub(r"^\d+-", "", note.stem).replace("-", " ").capitalize()
    return f"## {title}\n\n{note.read_text(encoding='utf-8').replace('](../', '](')}"


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", joined)
