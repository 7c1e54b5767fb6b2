"""Commands that let people into the web console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circus.commands.command import Command, Reply, Role, argument, command
from circus.commands.kinds import Name
from circus.exc import ArgumentError, Denied, MessageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.access import Peer
    from circus.engine import Engine


@command("console-login", Role.READ)
class ConsoleLogin(Command):
    """Get a link that lets you into the web console.

    It can be used once, within 5 minutes, and lets you do what you may do here; with `--role` less.
    `--url` is where your browser finds the console, unless that is where `[circus]` says.
    """

    grants: str | None = argument(
        "what it lets you do: read, operate or admin", default=None, flag="--role", metavar="ROLE"
    )
    url: Name | None = argument("where the console is", default=None, flag="--url", metavar="URL")

    holder = ""
    """Who asks; nobody can say that of themselves."""

    @property
    def changes(self) -> bool:
        """Somebody may come in."""
        return True

    def target(self) -> str:
        """What it lets them do."""
        return self.grants or ""

    def asked_by(self, peer: Peer, role: Role, engine: Engine) -> Command:
        """For whoever asks, and never more than they may do."""
        granted = role if self.grants is None else _role(self.grants)
        if not role.includes(granted):
            raise Denied(f"denied: a link for {granted} needs {granted}; you may {role}")
        found = self.replaced(grants=str(granted))
        name = peer.key or peer.user or ("somebody" if peer.uid is None else str(peer.uid))
        object.__setattr__(found, "holder", name)
        return found

    def run(self, engine: Engine) -> Reply:
        """The link, and what it is made of."""
        role = Role(self.grants or Role.READ)
        ticket = engine.tickets.give(self.holder, role, engine.loop.time())
        circus = engine.config.circus
        host = circus.httpd_host if circus.httpd_host.strip("0.:") else "localhost"
        host = f"[{host}]" if ":" in host else host
        url = (self.url or f"http://{host}:{circus.httpd_port}").rstrip("/")
        link = f"{url}/login?ticket={ticket}"
        whose = {"name": self.holder, "role": role, "seconds": engine.tickets.valid}
        return {"link": link, "ticket": ticket, **whose}

    @classmethod
    def properties(cls, given: Mapping[str, Any]) -> Reply:
        """A role that there is, at an address of the web."""
        if given["grants"] not in (None, *Role):
            raise ArgumentError(f"role: {given['grants']!r} is not one of {', '.join(Role)}")
        url = given["url"]
        if url is not None and not url.startswith(("http://", "https://")):
            raise ArgumentError(f"url: {url!r} does not begin with http:// or https://")
        return super().properties(given)

    @classmethod
    def show(cls, reply: Reply) -> str:
        """The link alone: it is there to be copied."""
        return str(reply["link"])


@command("console-redeem", Role.READ)
class ConsoleRedeem(Command):
    """Tell whose ticket it is, for the web console; with `use`, it cannot be used again."""

    wire_only = True

    ticket: Name = argument("what `console-login` answered")
    use: bool = argument("let its holder in", default=False)

    @property
    def changes(self) -> bool:
        """Somebody comes in."""
        return self.use

    def run(self, engine: Engine) -> Reply:
        """Name and role."""
        now = engine.loop.time()
        tickets = engine.tickets
        holder = (tickets.use if self.use else tickets.see)(self.ticket, now)
        return {"name": holder.name, "role": holder.role}


def _role(word: str) -> Role:
    if word not in list(Role):
        raise MessageError(f"'grants' isn't one of {', '.join(Role)}")
    return Role(word)
