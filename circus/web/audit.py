"""The console's part of the record: who came in, who changed what, who was denied what."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from circus.record import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.web.visitor import Visitor

logger = logging.getLogger("circus.audit")

LINE = "Console who=%s from=%s verb=%s target=%s details=%s outcome=%s"
SUPPRESSED = "Console from=%s outcome=denied suppressed=%d"
DENIALS = 20
"""Denials and failures of one address that are written in full, in one turn of `TURN`."""
TURN = 10.0
"""Seconds after which further ones are summed up, with the next one."""
ADDRESSES_MAX = 1000
"""Further addresses are counted together."""


class Audit:
    """Writes to the log `circus.audit`, never a value. For any number of threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._denied: dict[str, int] = {}
        """How often in this turn, by address."""
        self._turn = clock()

    def changed(
        self, visitor: Visitor, verb: str, target: str, details: str = "", *, outcome: str
    ) -> None:
        """A change was `done`, has `begun`, or was `refused`; or somebody came in, or left."""
        logger.info(LINE, *_fields(visitor, verb, target, details), outcome)

    def denied(self, visitor: Visitor, verb: str, target: str = "", details: str = "") -> None:
        """Somebody may not, or is not who they say. One who goes on and on is counted."""
        with self._lock:
            self._sum_up()
            where = visitor.address
            if where not in self._denied and len(self._denied) >= ADDRESSES_MAX:
                where = "others"
            count = self._denied[where] = self._denied.get(where, 0) + 1
        if count <= DENIALS:
            logger.warning(LINE, *_fields(visitor, verb, target, details), "denied")

    def _sum_up(self) -> None:
        now = self._clock()
        if now - self._turn < TURN:
            return
        for where, count in self._denied.items():
            if count > DENIALS:
                logger.warning(SUPPRESSED, plain(where), count - DENIALS)
        self._denied, self._turn = {}, now


def _fields(visitor: Visitor, *texts: str) -> tuple[str, ...]:
    return tuple(plain(one) for one in (visitor.name, visitor.address, *texts))
