"""The commands to the reference page.

Run as a module, it writes docs/reference/commands.md; a test fails when that file is stale.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from circus.commands import COMMANDS

if TYPE_CHECKING:
    from circus.commands.base import Argument, Command

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"

HEAD = """\
# Commands

Written by `python -m circus.commands.reference` from the commands themselves.

`circusctl COMMAND --help` says the same. Options that every command takes, before its name or
after it: `--endpoint`, `--timeout`, `--json` (the answer as one line of JSON, and nothing else on
standard output), `--prettify`, `--color`, `-H` or `--ssh` (the circusd of another machine),
`--ssh_keyfile`, `--help`. Several watchers, groups, tables, other machines:
[circusctl](../circusctl.md).

A command that changes something is answered when it has begun. With `--waiting` (`waiting` in the
message) it is answered when it is done, with what it came to; circusctl then waits as long as the
daemon is alive, whatever the time-out.

How circusctl ends: [exit statuses](exit-statuses.md).

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

Roles: *read* may look, *operate* may start, stop and signal, *admin* may change what is run.
"""


def page() -> str:
    """The text of docs/reference/commands.md."""
    return "\n".join([HEAD, *(_command(command) for command in COMMANDS)]).rstrip() + "\n"


def _command(command: type[Command]) -> str:
    parts = [f"## {command.verb}", f"{command.title()}.", command.prose()]
    if not command.wire_only:
        parts.append(f"    $ {command.shell_form()}")
    if command.local:
        parts.append("circusctl does this by itself; there is no such message.")
    else:
        parts += [f"Role: {command.role}.", f"    {_message(command)}"]
    rows = [_row(row) for row in command.arguments if not (command.local and row.wire_only)]
    if rows:
        parts.append("\n".join(["| Property | Type | Default | |", "|---|---|---|---|", *rows]))
    return "\n\n".join(part for part in parts if part) + "\n"


def _message(command: type[Command]) -> str:
    needed: dict[str, object] = {
        row.name: {} if row.kind.name == "mapping" else [] if row.kind.many else "..."
        for row in command.arguments
        if row.required
    }
    if command.waits:
        needed["waiting"] = True
    return json.dumps({"command": command.verb, "properties": needed}, ensure_ascii=False)


def _row(row: Argument) -> str:
    default = "required" if row.required else _default(row)
    flag = f" (`{row.flag.replace('/', '`, `')}`)" if row.flag else ""
    return f"| `{row.name}` | {row.kind.name} | {default} | {row.doc}{flag} |"


def _default(row: Argument) -> str:
    return "" if row.default in (None, "") else f"`{json.dumps(row.default)}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
