"""The options of the console to their reference page. Run as a module, it writes that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circus.config.reference import REFERENCE, default
from circus.config.schema import rows
from circus.web.settings import FILE, SECTION, VARIABLE, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = REFERENCE / "console.md"


def page() -> str:
    """The text of docs/reference/console.md."""
    return "\n".join([*_lines(), ""])


def _lines() -> Iterator[str]:
    yield "# The web console's options"
    yield ""
    yield "Written by `python -m circus.web.reference` from the options themselves."
    yield ""
    yield f"They stand in `[{SECTION}]` of the file that `circushttpd --config` names, or"
    yield f"`${VARIABLE}`, or else of `{FILE}`. What is said on the command line goes first."
    yield "[Who may do what](../security.md#the-web-console) tells how they work together."
    yield ""
    yield "| Option | Takes | Default | |"
    yield "|---|---|---|---|"
    for row in rows(Settings):
        yield f"| `{row.name}` | {row.kind.name} | {default(row)} | {row.doc} |"
    yield ""
    yield "## What options take"
    yield ""
    yield "| | |"
    yield "|---|---|"
    kinds = {row.kind.name: row.kind for row in rows(Settings)}
    for name in sorted(kinds):
        yield f"| {name} | {kinds[name].doc} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
