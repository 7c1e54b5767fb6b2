"""Sends numbers to a statsd server, over UDP: nobody waits, and nobody is told what gets lost."""

from __future__ import annotations

import logging
import random
import re
import socket
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

RESERVED = re.compile(r"[:|@\s]+")
"""What statsd reads as something else in the name of a bucket."""
PATIENCE = 30.0
"""Seconds until a host is looked for again that is not known."""


class Statsd:
    """`prefix` stands before every bucket. With a `sample_rate` below 1, so many of counts and
    times are sent, chosen by chance, and the server multiplies."""

    def __init__(
        self,
        prefix: str,
        host: str = "localhost",
        port: int = 8125,
        sample_rate: float = 1.0,
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._prefix = prefix
        self._host = host
        self._port = port
        self._rate = sample_rate
        self._chance = chance
        self._socket: socket.socket | None = None
        self._address: Any = None
        self._not_before = 0.0

    def increment(self, bucket: str, delta: int = 1) -> None:
        """Count."""
        self._sample(bucket, f"{delta}|c")

    def decrement(self, bucket: str, delta: int = 1) -> None:
        """Count down."""
        self.increment(bucket, -delta)

    def timed(self, bucket: str, milliseconds: float) -> None:
        """How long something took."""
        self._sample(bucket, f"{milliseconds:g}|ms")

    def gauge(self, bucket: str, value: float) -> None:
        """What something is; of that no sample is taken."""
        number = f"{value:g}" if isinstance(value, float) else str(value)
        self._send(f"{self._name(bucket)}:{number}|g")

    def stop(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _name(self, bucket: str) -> str:
        return RESERVED.sub("_", f"{self._prefix}.{bucket}")

    def _sample(self, bucket: str, what: str) -> None:
        if self._rate >= 1:
            self._send(f"{self._name(bucket)}:{what}")
        elif self._chance() < self._rate:
            self._send(f"{self._name(bucket)}:{what}|@{self._rate:g}")

    def _send(self, line: str) -> None:
        if self._socket is None and not self._open():
            return
        assert self._socket is not None  # noqa: S101 it is open
        try:
            self._socket.sendto(line.encode(), self._address)
        except OSError as error:
            logger.debug("Cannot send to statsd: %s", error)

    def _open(self) -> bool:
        """Look the host up, which may block; False while there is none."""
        now = time.monotonic()
        if now < self._not_before:
            return False
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as error:
            self._not_before = now + PATIENCE
            reason = getattr(error, "strerror", None) or error
            logger.warning("Cannot send to statsd at %s: %s", self._host, reason)
            return False
        # where it is not said, statsd servers are at the older address
        found.sort(key=lambda one: one[0] != socket.AF_INET)
        family, kind, proto, _, self._address = found[0]
        self._socket = socket.socket(family, kind | socket.SOCK_NONBLOCK, proto)
        return True
