"""The commands to the pages of the reference: one of each, and one that leads to them.

Run as a module, it writes docs/reference/commands.md and what is in docs/reference/commands; a test
fails when one of them is stale. What circusd answers is taken from what docs/recorded has of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circus.commands import COMMANDS

if TYPE_CHECKING:
    from circus.commands.command import Argument, Command

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "reference" / "commands.md"
FOLDER = DOCS / "reference" / "commands"
RECORDED = DOCS / "recorded" / "commands.json"
CONFIG = DOCS / "recorded" / "commands.ini"
SHOWN = "<!-- shown by: tests/daemon/test_command_pages.py::test_a_page_shows_what_happens -->"
WIDTH = 96

WRITTEN = "Written by `python -m circus.commands.reference` from the commands themselves.\n"
HEAD = """\
`circusctl COMMAND --help` says the same. Options that every command takes, before its name or
after it: `--endpoint`, `--timeout`, `--json` (the answer as one line of JSON, and nothing else on
standard output), `--prettify`, `--color`, `-H` or `--ssh` (the circusd of another machine),
`--ssh_keyfile`, `--help`. Several watchers, groups, tables, other machines:
[circusctl](../circusctl.md).

A command that changes something is answered when it has begun. With `--waiting` (`waiting` in the
message) it is answered when it is done, with what it came to; circusctl then waits as long as the
daemon is alive, whatever the time-out. `--dry-run` tells what it would do, and nothing is done.

Roles: *read* may look, *operate* may start, stop and signal, *admin* may change what is run
([who may do what](../security.md)). How circusctl ends: [exit statuses](exit-statuses.md).
"""
MESSAGES = """\
## Messages

One JSON object per message over a ZeroMQ socket of type DEALER (or REQ): `command`, `properties`,
`id` (sent back with the answer), and `msg_type` `"cast"` if no answer is wanted. Names of commands
are the same in upper and lower case, and so are names of watchers.

An answer has `status` (`"ok"`), `time` (seconds since 1970) and `id`, then what the command has to
say. When it failed, `status` is `"error"`, `reason` says why in words, `errno` is a number, `code`
a word for it that tells more, and `tb` is null.

| errno | code | Meaning |
|---:|---|---|
| 1 | `invalid-json` | not JSON |
| 2 | `unknown-command` | no such command |
| 3 | `message` | a property is missing, unknown or wrong |
| 3 | `not-found` | a watcher or worker does not exist |
| 3 | `denied` | not allowed |
| 4 | `os` | the operating system refused |
| 5 | `conflict` | something else stands in the way, such as a name that is taken |
| 5 | `hook` | a hook is missing, raised, or took too long |
| 5 | `internal` | a mistake of circusd's own, which its log tells about |
| 6 | `failed` | it was begun and failed |

## The examples

What the pages show is asked of a circusd that runs this, and one worker of `web`, `db` and `clock`
each:
"""


def pages() -> dict[Path, str]:
    """The text of each page."""
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    found = {FOLDER / f"{one.verb}.md": _command(one, recorded[one.verb]) for one in COMMANDS}
    return {PAGE: _overview(), **found}


def _overview() -> str:
    rows = [
        f"| [`{one.verb}`](commands/{one.verb}.md) | {one.title()} | {_role(one)} |"
        for one in COMMANDS
    ]
    table = "\n".join(["| Command | | Role |", "|---|---|---|", *rows])
    config = f"```ini\n{CONFIG.read_text(encoding='utf-8')}```\n"
    return "\n".join(["# Commands\n", WRITTEN, HEAD, f"{table}\n", MESSAGES, config])


def _role(command: type[Command]) -> str:
    return "" if command.local else str(command.role)


def _command(command: type[Command], recorded: dict[str, Any]) -> str:
    parts = [f"# {command.verb}", WRITTEN.rstrip(), f"{command.title()}.", command.prose()]
    if not command.wire_only:
        parts.append(f"```text\n{command.shell_form()}\n```")
    if command.local:
        parts.append("circusctl does this by itself; there is no such message.")
    else:
        parts.append(f"Role: {command.role} ([who may do what](../../security.md)).")
    rows = [_row(row) for row in command.arguments if not (command.local and row.wire_only)]
    if rows:
        parts.append("\n".join(["| Property | Type | Default | |", "|---|---|---|---|", *rows]))
    if "shell" in recorded:
        parts += ["## For example", _block("console", recorded["shell"])]
    if "asked" in recorded:
        parts += _message(recorded["asked"])
    wrong = [_block("console", recorded["wrong"])] if "wrong" in recorded else []
    wrong += _exchange(recorded["refused"]) if "refused" in recorded else []
    parts += ["## When it goes wrong", *wrong] if wrong else []
    parts.append("The circusd of all examples: [commands](../commands.md#the-examples).")
    return "\n\n".join(part for part in parts if part) + "\n"


def _message(asked: dict[str, Any]) -> list[str]:
    parts = ["## As a message", *_exchange(asked)]
    events = [
        f"| `{topic}` | {', '.join(f'`{field}`' for field in fields)} |"
        for topic, fields in asked["events"].items()
    ]
    if events:
        told = "Events that this message leads to; each has `time`, `seq` and `instance` as well:"
        table = "\n".join(["| Topic | Fields |", "|---|---|", *events])
        parts += ["## Events", told, table]
    return parts


def _exchange(recorded: dict[str, Any]) -> list[str]:
    blocks = [_block("json", folded(recorded[part]) + "\n") for part in ("request", "reply")]
    return [blocks[0], "is answered by", blocks[1]]


def _block(language: str, text: str) -> str:
    return f"{SHOWN}\n```{language}\n{text}```"


def folded(value: object, indent: int = 0) -> str:
    """JSON with a line for each item of what does not fit into one."""
    flat = json.dumps(value, ensure_ascii=False)
    if indent + len(flat) <= WIDTH or not isinstance(value, dict | list) or not value:
        return flat
    if isinstance(value, dict):
        opened, closed = "{", "}"
        items = [f"{json.dumps(key)}: {folded(one, indent + 2)}" for key, one in value.items()]
    else:
        opened, closed = "[", "]"
        items = [folded(one, indent + 2) for one in value]
    inner = ",\n".join(" " * (indent + 2) + item for item in items)
    return f"{opened}\n{inner}\n{' ' * indent}{closed}"


def _row(row: Argument) -> str:
    default = "required" if row.required else _default(row)
    flag = f" (`{row.flag.replace('/', '`, `')}`)" if row.flag else ""
    return f"| `{row.name}` | {row.kind.name} | {default} | {row.doc}{flag} |"


def _default(row: Argument) -> str:
    return "" if row.default in (None, "") else f"`{json.dumps(row.default)}`"


def main() -> None:
    """Write all pages, and remove those of commands that are no more."""
    FOLDER.mkdir(exist_ok=True)
    written = pages()
    for path in FOLDER.glob("*.md"):
        if path not in written:
            path.unlink()
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
