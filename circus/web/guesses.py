"""How long somebody has to wait who does not know a password."""

from __future__ import annotations

import ipaddress
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

FREE = 5
"""Failures that cost no time."""
LONGEST = 15 * 60.0
"""Seconds."""
KEPT = 60 * 60.0
"""Seconds after the last failure until it is forgotten."""
MOST = 10_000
"""Users and addresses that are remembered; the one that was quiet for longest has to go."""


class Count(NamedTuple):
    """Failures, and when the last one was."""

    failures: int
    last: float


class Guesses:
    """Counts by user and by address. For any number of threads, without ever blocking."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[tuple[str, str], Count] = {}

    def begin(self, user: str, address: str) -> float:
        """Seconds that they have to wait; 0: they may try, and have failed until `right`.

        So that many who try at once are as many failures.
        """
        now = self._clock()
        keys = _keys(user, address)
        with self._lock:
            wait = max(self._wait(key, now) for key in keys)
            if wait <= 0:
                for key in keys:
                    failures = self._failures(key, now) + 1
                    self._counts.pop(key, None)  # so that those who were quiet come first
                    self._counts[key] = Count(failures, now)
                while len(self._counts) > self._most:
                    del self._counts[next(iter(self._counts))]
            return max(wait, 0.0)

    def right(self, user: str, address: str) -> None:
        """The password was right: that is no failure, and those of this user are forgotten."""
        of_user, of_address = _keys(user, address)
        with self._lock:
            self._counts.pop(of_user, None)
            count = self._counts.get(of_address)
            if count is not None:
                self._counts[of_address] = count._replace(failures=max(count.failures - 1, 0))

    def _wait(self, key: tuple[str, str], now: float) -> float:
        failures = self._failures(key, now)
        if failures < FREE:
            return 0.0
        pause = min(LONGEST, 2.0 ** min(failures - FREE, 20))
        return self._counts[key].last + pause - now

    def _failures(self, key: tuple[str, str], now: float) -> int:
        count = self._counts.get(key)
        return 0 if count is None or now - count.last > KEPT else count.failures


def _keys(user: str, address: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Whoever has one address of IPv6 has its whole network."""
    try:
        found = ipaddress.ip_address(address)
        if found.version == 6:
            address = str(ipaddress.ip_network((found, 64), strict=False))
    except ValueError:
        pass
    return ("user", user[:100]), ("address", address)
