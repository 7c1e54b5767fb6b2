"""Which command is found where, read off the table of commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from circus.commands import COMMANDS, find
from circus.web.actions import ELSEWHERE, STRICTER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from circus.access import Role
    from circus.commands import Command
    from circus.commands.command import Argument

ROOT = "/api/v1"

AS_RESOURCES = (
    ("GET", "/watchers", "list"),
    ("POST", "/watchers", "add"),
    ("GET", "/watchers/{name}", "why"),
    ("DELETE", "/watchers/{name}", "rm"),
)
"""What has the address of the thing itself."""
OF_THINGS = ("add", "rm")
"""Those of them that have no other address."""


class Operation(NamedTuple):
    """One operation."""

    method: str
    path: str
    """Below ROOT; `{name}` stands for a watcher's name."""
    command: type[Command]

    @property
    def named(self) -> bool:
        """Whether the path names a watcher."""
        return "{name}" in self.path

    @property
    def needs(self) -> Role:
        """What it takes at least; with some arguments it is more."""
        return STRICTER.get(self.command.verb, self.command.role)

    @property
    def rows(self) -> Mapping[str, Argument]:
        """The arguments that the path does not give."""
        taken = ("name", "match") if self.named else ()
        return {name: row for name, row in self.command.rows.items() if name not in taken}

    @property
    def has_body(self) -> bool:
        """Whether arguments come in a body; else they are in the query."""
        return self.method == "POST"


def operations() -> Iterator[Operation]:
    """All of them."""
    for method, path, verb in AS_RESOURCES:
        yield Operation(method, path, find(verb))
    for command in COMMANDS:
        verb = command.verb
        if verb in ELSEWHERE or verb in OF_THINGS:
            continue
        method = "POST" if command().changes else "GET"
        name = command.rows.get("name")
        if name is not None:
            yield Operation(method, f"/watchers/{{name}}/{verb}", command)
        if name is None or not name.required:
            yield Operation(method, f"/{verb}", command)
