"""The table to the reference page and the JSON schema.

Run as a module, it writes both to docs/reference; a test fails when one of them is stale.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circus.config import kinds
from circus.config.model import CircusConfig, PluginConfig, SocketConfig, WatcherConfig
from circus.config.schema import OnChange, Row, rows

if TYPE_CHECKING:
    from collections.abc import Iterable

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
PAGE = REFERENCE / "configuration.md"
SCHEMA = REFERENCE / "circus.schema.json"
COSTS = {
    OnChange.NOTHING: "nothing",
    OnChange.RECONCILE: "nothing but the count",
    OnChange.REPLACE: "new workers",
    OnChange.RESTART: "a restart of circusd",
}
SECTIONS: tuple[tuple[str, type, str], ...] = (
    ("circus", CircusConfig, ""),
    ("watcher:NAME", WatcherConfig, "Keys that are not in the table are kept: hooks read them, and "
     "`flapping.` and the names of plugins with a dot begin keys of theirs. For any other such key "
     "there is a warning, or with `strict` an error."),
    ("socket:NAME", SocketConfig, ""),
    ("plugin:NAME", PluginConfig, "All other keys go to the plugin. Those that are options of a "
     "watcher count for the process that runs it too."),
)  # fmt: skip
PROSE = """## How a file is read

A file is UTF-8 text with `[section]` headers and `option = value` (or `option: value`) lines.

- `#` and `;` in the first column and the word `rem` begin a comment. Behind a value a comment
  begins with ` ;`, at the first semicolon only.
- A line that is indented deeper than the option above it goes on with its value.
- Headers of our sections may be indented; where the indentation ends, the section around goes on.
- Sections of one name are one section. The first value of an option counts, also across files.
- `include` and `include_dir` of `[circus]` name more files, from the folder of the main file on.
- Names of watchers, sockets and plugins that differ only in upper and lower case are the same.
- `[DEFAULT]` holds options for every section that knows them.

`circusd --check FILE` tells everything that is wrong, each with file and line, and what this
machine lacks: programs, directories, users. What is almost an option that exists is an error for
it; circusd itself starts, with a warning. `--strict`, and `strict = on` in `[circus]`, make errors
of all warnings.

## [env] and [env:NAME,PATTERN*]

Variables for all watchers, or for those whose names match. `[env]` is weakest; of the others a
later section goes before an earlier. `$NAME` (upper case) stands for a variable of circusd's own
environment and is empty when there is none. Values that are inherited arrive as they are. `$$` is
no escape: a value with a literal `$NAME` belongs in a file that `env_file` names.

## Variables

| Written | Stands for | Where |
|---|---|---|
| `$(circus.env.NAME)` | a variable of the environment | everywhere |
| `$(circus.wid)`, `$(WID)`, `$WID` | the number of the slot | `cmd`, `args`, `shell_args` |
| `$(circus.sockets.NAME)` | its number in the worker | the same, and `[env:…]` |
| `$(circus.OPTION)` | an option of the watcher | `cmd`, `args`, `shell_args` |
| `$(ENV.NAME)` | the same as `$(circus.env.NAME)` | everywhere |

`((circus.wid))` and `${circus.wid}` are other spellings; upper and lower case are the same. What is
not known stays as it is written. In a command line variables are replaced at every start, by what
the worker has in its environment or else by what circusd has; then the line is split into words.
"""


def page() -> str:
    """The text of docs/reference/configuration.md."""
    lines = [
        "# Configuration",
        "",
        "Written by `python -m circus.config.reference` from the options themselves.",
        "",
        PROSE,
    ]
    for title, model, note in SECTIONS:
        lines += [f"## [{title}]", "", (model.__doc__ or "").strip(), ""]
        lines += [note, ""] if note else []
        lines += _table(rows(model))
    lines += ["## What options take", "", "| | |", "|---|---|"]
    lines += [f"| {kind.name} | {kind.doc} |" for kind in _kinds()]
    return "\n".join([*lines, ""])


def _table(table: Iterable[Row]) -> Iterable[str]:
    yield "| Option | Takes | Default | A change costs | |"
    yield "|---|---|---|---|---|"
    for row in table:
        name = f"{row.name}NAME" if row.prefix else row.name
        unless = "required" if row.required else default(row)
        old = f" Old spelling: `{'`, `'.join(row.aliases)}`." if row.aliases else ""
        cost = COSTS[row.on_change]
        yield f"| `{name}` | {row.kind.name} | {unless} | {cost} | {row.doc}{old} |"
    yield ""


def default(row: Row) -> str:
    """What counts when it is not given, as it would be written."""
    value: Any = row.default
    if value in (None, "", ()):
        return ""
    return f"`{json.dumps(row.kind.format(value))}`".replace('"', "")


def _kinds() -> Iterable[kinds.Kind]:
    """Those that an option takes, in alphabetical order."""
    found = {row.kind.name: row.kind for _, model, _ in SECTIONS for row in rows(model)}
    return (found[name] for name in sorted(found))


def schema() -> str:
    """The text of docs/reference/circus.schema.json: a configuration as JSON."""
    several = {
        f"{title.partition(':')[0]}s": {
            "type": "object",
            "additionalProperties": _section(model),
        }
        for title, model, _ in SECTIONS
        if ":" in title
    }
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Circus configuration",
        "type": "object",
        "properties": {"circus": _section(CircusConfig), **several},
        "additionalProperties": False,
    }
    return json.dumps(whole, indent=2) + "\n"


def _section(model: type) -> dict[str, Any]:
    """The values are those that `options` answers with; null asks for the default."""
    table = rows(model)
    found: dict[str, Any] = {
        "type": "object",
        "description": (model.__doc__ or "").strip(),
        "properties": {row.name: _property(row) for row in table if not row.prefix},
        "patternProperties": {
            f"^{row.name.replace('.', '[.]')}": _property(row) for row in table if row.prefix
        },
        "required": [row.name for row in table if row.required],
        "additionalProperties": model is not CircusConfig,
    }
    return {key: value for key, value in found.items() if value not in ({}, [])}


def _property(row: Row) -> dict[str, Any]:
    shape = dict(row.kind.json)
    found: dict[str, Any] = {"description": row.doc}
    if row.default is None and not row.prefix and shape:
        found["anyOf"] = [shape, {"type": "null"}]
    else:
        found.update(shape)
    if not row.required and row.default is not None:
        found["default"] = row.kind.format(row.default)
    return found


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    SCHEMA.write_text(schema(), encoding="utf-8")
