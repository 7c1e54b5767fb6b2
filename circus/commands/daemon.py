"""Commands about the daemon itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circus import __version__
from circus.commands.command import Command, Reply, Role, argument, command
from circus.commands.foresight import stops
from circus.commands.kinds import Name
from circus.commands.text import infoline, options_lines
from circus.exc import ArgumentError, MessageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.engine import Engine
    from circus.steps import Step
    from circus.threads import Outcome

GLOBAL_OPTIONS = (
    "endpoint",
    "stats_endpoint",
    "pubsub_endpoint",
    "check_delay",
    "multicast_endpoint",
)


@command("quit", Role.ADMIN)
class Quit(Command):
    """Quit the arbiter immediately.

    All workers are stopped, then the daemon ends. The events are those of a `stop` of each watcher.
    """

    waits = True

    def run(self, engine: Engine) -> Outcome[Any]:
        """Answers, with `waiting`, when the last worker is gone."""
        return engine.quit()

    async def foresee(self, engine: Engine) -> list[Step]:
        """All stop."""
        return stops(engine, engine.watchers, "circusd ends")


@command("keygen", Role.READ)
class Keygen(Command):
    """Make keys for a circusd that lets only keys in.

    In DIR, unless they are there, the keys of circusd itself; with NAME, a key for somebody of
    that name. `[circus]` has `curve = True` and `curve_keys = DIR` then.
    """

    local = True

    folder: str = argument("the folder of the keys", metavar="DIR")
    name: Name | None = argument("whom the key is for", default=None)
    grants: str = argument(
        "what that key lets them do: read, operate or admin", default="admin", flag="--role"
    )

    @classmethod
    def properties(cls, given: Mapping[str, Any]) -> Reply:
        """A role that there is."""
        if given["grants"] not in (None, *Role):
            raise ArgumentError(f"role: {given['grants']!r} is not one of {', '.join(Role)}")
        return super().properties(given)

    def run(self, engine: Engine) -> Reply:
        """Keys are made by circusctl, as whoever runs it."""
        raise MessageError("invalid message. 'keygen' makes files where circusctl runs")


@command("dstats", Role.READ)
class DStats(Command):
    """Get circusd stats."""

    def run(self, engine: Engine) -> Reply:
        """What the daemon uses, and which it is."""
        return {"info": engine.info(), "version": __version__}

    @classmethod
    def show(cls, reply: Reply) -> str:
        """The daemon and its children, one line each."""
        info = reply["info"]
        lines = ["Main Process:", f"    {infoline(info)}"]
        children = info.get("children") if isinstance(info, dict) else None
        if children:
            lines += ["Children:", *(f"    {infoline(child)}" for child in children)]
        return "\n".join(lines)


@command("globaloptions", Role.READ)
class GlobalOptions(Command):
    """Get the arbiter options."""

    option: str | None = argument("one of them", default=None)

    def run(self, engine: Engine) -> Reply:
        """Endpoints and the like, as they are in use."""
        options = {
            "endpoint": engine.endpoint,
            "stats_endpoint": engine.stats_endpoint,
            "pubsub_endpoint": engine.pubsub_endpoint,
            "check_delay": engine.check_delay,
            "multicast_endpoint": engine.config.circus.multicast_endpoint,
        }
        if self.option is None:
            return {"options": options}
        if self.option not in options:
            raise MessageError(f"{self.option[:40]!r} not an existing option")
        return {"options": {self.option: options[self.option]}}

    @classmethod
    def show(cls, reply: Reply) -> str:
        """`key: value` lines."""
        return options_lines(reply["options"])
