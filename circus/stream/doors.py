"""Places that are full, and the descriptors that tell when they have room."""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circus.stream.fate import Fate
    from circus.stream.pipe import Place


class Doors:
    """By descriptor. `epoll` tells of them what it tells of everything else."""

    def __init__(self, epoll: select.epoll) -> None:
        self._epoll = epoll
        self._places: dict[int, Place] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Place]:
        return iter([*self._places.values()])

    def get(self, fd: int) -> Place | None:
        """Whose descriptor it is."""
        return self._places.get(fd)

    def watch(self, place: Place, fate: Fate) -> bool:
        """Ask to be told when a full place has room. Whether one can be told."""
        if fate.full is None:
            return False
        try:
            self._epoll.register(fate.full, select.EPOLLOUT)
        except (OSError, ValueError):  # a user's sink may say what it likes
            return False
        place.door = fate.full
        place.reason = fate.reason
        if fate.patience is not None:
            place.until = time.monotonic() + fate.patience
        self._places[place.door] = place
        return True

    def shut(self, place: Place) -> None:
        """Stop asking whether it has room."""
        if place.door >= 0:
            self._epoll.unregister(place.door)
            del self._places[place.door]
            place.door = -1
        place.until, place.overflows = None, False

    def moments(self) -> list[float]:
        """When workers need not wait any longer."""
        return [place.until for place in self._places.values() if place.until is not None]

    def overdue(self, now: float) -> list[Place]:
        """Places for which workers have waited long enough."""
        return [place for place in self if place.until is not None and place.until <= now]
