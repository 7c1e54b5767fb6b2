"""The record of who changed what and who was denied what: one line each, to `circus.audit`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from circus.record import plain

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from circus.access import Peer

logger = logging.getLogger("circus.audit")

LINE = "Request who=%s uid=%s gid=%s pid=%s verb=%s target=%s details=%s outcome=%s"
SUPPRESSED = "Request who=%s uid=%s outcome=denied suppressed=%d"
DENIALS = 20
"""Denials of one peer that are written in full, in one turn of `TURN`."""
TURN = 10.0
"""Seconds after which further ones are summed up."""
PEERS_MAX = 1000
"""Further peers are counted together."""


class Asked(NamedTuple):
    """What somebody wants, as far as it may be written down: never a value."""

    peer: Peer
    verb: str
    target: str = ""
    details: str = ""


class Audit:
    """Writes to the log `circus.audit`; reads are left out. Belongs to the loop's thread."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._denied: dict[tuple[str, str], int] = {}
        """How often in this turn, by peer."""

    def changed(self, asked: Asked, outcome: str) -> None:
        """A change was `done`, has `begun`, or was `refused` for a reason that is not a right."""
        logger.info(LINE, *_fields(asked), outcome)

    def denied(self, asked: Asked) -> None:
        """Somebody may not. One who goes on and on is counted, and the sum told later."""
        who = (_who(asked.peer), str(asked.peer.uid))
        if who not in self._denied and len(self._denied) >= PEERS_MAX:
            who = ("others", "-")
        if not self._denied:
            self._loop.call_later(TURN, self.sum_up)
        count = self._denied[who] = self._denied.get(who, 0) + 1
        if count <= DENIALS:
            logger.warning(LINE, *_fields(asked), "denied")

    def sum_up(self) -> None:
        """End this turn: tell of what was counted only."""
        denied, self._denied = self._denied, {}
        for (who, uid), count in denied.items():
            if count > DENIALS:
                logger.warning(SUPPRESSED, who, uid, count - DENIALS)


def _fields(asked: Asked) -> tuple[object, ...]:
    peer = asked.peer
    numbers = ("-" if one is None else one for one in (peer.uid, peer.gid, peer.pid))
    texts = (plain(one) for one in (asked.verb, asked.target, asked.details))
    return (_who(peer), *numbers, *texts)


def _who(peer: Peer) -> str:
    if peer.key:
        return plain(f"key:{peer.key}")
    if peer.uid is None:
        return "unknown"
    return plain(peer.user or str(peer.uid))
