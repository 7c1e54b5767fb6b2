"""The table to the reference page.

Run as a module, it writes docs/reference/configuration.md; a test fails when that file is stale.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from circus.config.model import CircusConfig, PluginConfig, SocketConfig, WatcherConfig
from circus.config.schema import OnChange, Row, rows

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"
COSTS = {
    OnChange.NOTHING: "nothing",
    OnChange.RECONCILE: "nothing but the count",
    OnChange.REPLACE: "new workers",
    OnChange.RESTART: "a restart of circusd",
}
SECTIONS: tuple[tuple[str, type], ...] = (
    ("[circus]", CircusConfig),
    ("[watcher:NAME]", WatcherConfig),
    ("[socket:NAME]", SocketConfig),
    ("[plugin:NAME]", PluginConfig),
)


def page() -> str:
    """The text of docs/reference/configuration.md."""
    lines = [
        "# Configuration",
        "",
        "Written by `python -m circus.config.reference` from the options themselves.",
        "",
    ]
    for title, model in SECTIONS:
        lines += [f"## {title}", "", (model.__doc__ or "").strip(), ""]
        lines += _table(rows(model))
    return "\n".join(lines)


def _table(table: Iterable[Row]) -> Iterable[str]:
    yield "| Option | Takes | Default | A change costs | |"
    yield "|---|---|---|---|---|"
    for row in table:
        name = f"{row.name}NAME" if row.prefix else row.name
        default = "required" if row.required else _default(row)
        yield f"| `{name}` | {row.kind.name} | {default} | {COSTS[row.on_change]} | {row.doc} |"
    yield ""


def _default(row: Row) -> str:
    value: Any = row.default
    return "" if value in (None, "", ()) else f"`{row.kind.format(value)}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
