"""Who is logged in, and what they have to be told on the next page."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from circus.access import Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.web.shelf import Shelf
    from circus.web.visitor import Visitor

MOST = 1000
"""Sessions at once; the one that was not used for the longest time has to go."""
TOLD_MOST = 10
"""Messages that wait for one of them."""
TOLD_LENGTH = 2000
TOUCH = 60.0
"""Seconds after which it is written down again that somebody is there."""


class Told(NamedTuple):
    """A message that is shown once."""

    text: str
    kind: str
    """`done` or `refused`."""


class Session(NamedTuple):
    """Somebody who has logged in. Times in seconds of the epoch: they hold across restarts."""

    name: str
    role: Role
    began: float
    seen: float
    stamp: str = ""
    """What it was begun with, and holds as long as: see `visitors.stamp_of_link` and `Entry`."""
    told: tuple[Told, ...] = ()


class Sessions:
    """Only what the secret of a session hashes to is kept: its name."""

    def __init__(
        self,
        shelf: Shelf,
        key: bytes,
        *,
        idle: float,
        longest: float,
        most: int = MOST,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._shelf = shelf
        self._key = key
        self._idle = idle
        self._longest = longest
        self._most = most
        self._clock = clock
        self._told: dict[str, tuple[Told, ...]] = {}
        """For those who have no session here."""

    def begin(self, name: str, role: Role, *, stamp: str = "") -> str:
        """Let somebody in. The secret of their session, which was nobody's before."""
        secret = secrets.token_urlsafe(32)
        now = self._clock()
        with self._shelf.change() as items:
            for gone in [one for one, raw in items.items() if self._over(_read(raw), now)]:
                del items[gone]
            while len(items) >= self._most:
                del items[min(items, key=lambda one: _read(items[one]).seen)]
            items[name_of(secret)] = Session(name, role, now, now, stamp)
        return secret

    def find(self, secret: str) -> tuple[str, Session] | None:
        """The name of the session and who it is, while it lasts."""
        one = name_of(secret)
        raw = self._shelf.items().get(one)
        if raw is None:
            return None
        session, now = _read(raw), self._clock()
        if self._over(session, now):
            return None
        if now - session.seen >= TOUCH:
            self._put(one, lambda old: old._replace(seen=now))
        return one, session

    def end(self, one: str) -> None:
        """Whoever has the secret is a stranger from now on, also after a restart."""
        with self._shelf.change() as items:
            items.pop(one, None)

    def token(self, purpose: str, secret: str) -> str:
        """What only we can have given to whoever has this secret, for forms of theirs."""
        return hmac.new(self._key, f"{purpose}:{secret}".encode(), "sha256").hexdigest()

    def tell(self, visitor: Visitor, text: str, kind: str = "done") -> None:
        """Have something shown to somebody on their next page."""
        new = Told(text[:TOLD_LENGTH], kind)
        if visitor.session in self._shelf.items():
            self._put(visitor.session, lambda s: s._replace(told=(*s.told, new)[-TOLD_MOST:]))
        elif visitor.session:
            if len(self._told) >= self._most:
                self._told.pop(next(iter(self._told)))
            waiting = self._told.get(visitor.session, ())
            self._told[visitor.session] = (*waiting, new)[-TOLD_MOST:]

    def take(self, visitor: Visitor) -> tuple[Told, ...]:
        """What they were told since they last looked."""
        raw = self._shelf.items().get(visitor.session)
        if raw is None:
            return self._told.pop(visitor.session, ())
        found = _read(raw).told
        if found:
            self._put(visitor.session, lambda session: session._replace(told=()))
        return found

    def _put(self, one: str, changed: Callable[[Session], Session]) -> None:
        with self._shelf.change() as items:
            if one in items:  # it may have ended meanwhile
                items[one] = changed(_read(items[one]))

    def _over(self, session: Session, now: float) -> bool:
        return now - session.seen > self._idle or now - session.began > self._longest


def name_of(secret: str) -> str:
    """What a session is called."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two secrets are the same, in a time that tells nothing; two empty ones are not."""
    return bool(one) and hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogatepass"))


def _read(raw: Any) -> Session:
    """As it was written, which is a list; one that cannot be read is over."""
    try:
        name, role, began, seen, stamp, told = raw
        messages = tuple(Told(*one) for one in told)
        return Session(name, Role(role), began + 0.0, seen + 0.0, stamp, messages)
    except (TypeError, ValueError):
        return Session("", Role.READ, 0.0, 0.0)
