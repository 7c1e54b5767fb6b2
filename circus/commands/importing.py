"""What circusctl makes of configurations that others have written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circus.commands.command import Command, Reply, Role, argument, command
from circus.commands.kinds import Name
from circus.exc import ArgumentError, MessageError
from circus.suggest import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.engine import Engine

SOURCES = ("supervisor", "procfile", "systemd", "circus")


@command("import", Role.READ)
class Import(Command):
    """Make a configuration from that of another process manager.

    SOURCE is `supervisor` (supervisord.conf), `procfile`, `systemd` (NAME.service, with what is
    beside it) or `circus` (a file for circus 0.19 or older). The configuration is printed, or
    written to the file of `--output`. What became of each line of FILE is told on standard error,
    and what is not as it was also at the head of the configuration.
    Nothing in FILE is executed, and no daemon is asked.
    """

    local = True

    source: str = argument("supervisor, procfile, systemd or circus", metavar="SOURCE")
    file: Name = argument("what to read", metavar="FILE")
    output: Name | None = argument(
        "write to this file instead of standard output", default=None, flag="--output"
    )
    instances: Name | None = argument(
        "of a template NAME@.service, such as 1-4 or red,blue", default=None, flag="--instances"
    )
    force: bool = argument("overwrite the file of --output", default=False)

    @classmethod
    def properties(cls, given: Mapping[str, Any]) -> Reply:
        """A source that there is."""
        source = given["source"]
        if source not in (None, *SOURCES):
            near = suggestion(source, SOURCES)
            raise ArgumentError(f"source: {source!r} is not one of {', '.join(SOURCES)}{near}")
        if given["force"] and given["output"] is None:
            raise ArgumentError("--force is for --output")
        if given["instances"] is not None and source != "systemd":
            raise ArgumentError("--instances is for systemd")
        return super().properties(given)

    def run(self, engine: Engine) -> Reply:
        """Files are read and written by circusctl, as whoever runs it."""
        raise MessageError("invalid message. 'import' reads files where circusctl runs")
