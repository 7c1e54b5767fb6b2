"""One-time tickets that let somebody into the web console with what they may do here."""

from __future__ import annotations

import hashlib
import secrets
from typing import NamedTuple

from circus.access import Role
from circus.exc import NotFound

VALID = 300.0
"""Seconds within which a ticket has to be used."""
MOST = 100
"""Tickets that wait to be used; one more pushes out the oldest."""


class Holder(NamedTuple):
    """Who asked for a ticket, and what it lets them do."""

    name: str
    role: Role


class Tickets:
    """Only what a ticket hashes to is kept, so that nothing here lets anybody in."""

    def __init__(self) -> None:
        self.valid = VALID
        self._waiting: dict[bytes, tuple[float, Holder]] = {}

    def give(self, name: str, role: Role, now: float) -> str:
        """A new one for somebody, 256 bits; `now` in seconds of a clock that only goes up."""
        ticket = secrets.token_urlsafe(32)
        self._forget(now)
        while len(self._waiting) >= MOST:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[_hash(ticket)] = now + VALID, Holder(name, role)
        return ticket

    def see(self, ticket: str, now: float) -> Holder:
        """Whose it is; it can still be used. Raises NotFound."""
        self._forget(now)
        found = self._waiting.get(_hash(ticket))
        if found is None:
            raise NotFound("this link has been used, or is older than 5 minutes; ask for another "
                           "with: circusctl console-login")  # fmt: skip
        return found[1]

    def use(self, ticket: str, now: float) -> Holder:
        """Whose it is; from now on it is nobody's. Raises NotFound."""
        holder = self.see(ticket, now)
        del self._waiting[_hash(ticket)]
        return holder

    def _forget(self, now: float) -> None:
        for key in [key for key, (until, _) in self._waiting.items() if until <= now]:
            del self._waiting[key]


def _hash(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).digest()
