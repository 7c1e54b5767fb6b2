"""Where pipes lead: to which sink, at which place; and when a sink is opened and closed."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

from circus.stream.fate import tell
from circus.stream.pipe import Place
from circus.stream.sink import borrows, bound, place_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    from circus.stream.doors import Doors
    from circus.stream.lane import Lane, Lanes
    from circus.stream.ledger import Account
    from circus.stream.pipe import Pipe
    from circus.stream.sink import Sink


class Routes:
    """All sinks and places that pipes lead to. Only the pump's thread uses it."""

    def __init__(self, lanes: Lanes, doors: Doors) -> None:
        self._lanes = lanes
        self._doors = doors
        self._places: dict[Hashable, Place] = {}
        self._users: collections.Counter[int] = collections.Counter()
        """How many pipes lead to a sink, by its id()."""

    def place(self, key: Hashable) -> Place | None:
        """What `place_of` calls so, if a pipe leads there."""
        return self._places.get(key)

    def lead(self, pipe: Pipe, sink: Sink) -> None:
        """Lead a pipe there from now on, and no longer to where it led before."""
        sink = bound(sink, pipe.source)
        key = place_of(sink)
        lane = self._lanes.get(key, sink)
        self._users[id(sink)] += 1
        if self._users[id(sink)] == 1:
            self._tell(sink, "open", pipe.account, lane)
        if pipe.led:  # only now: a file that both write to stays open
            self.leave(pipe)
        pipe.sink, pipe.lane, pipe.led = sink, lane, True
        pipe.patient = bool(getattr(sink, "whole_lines", False))
        pipe.lends = borrows(sink)
        pipe.place = self._places.setdefault(key, Place(key))
        pipe.place.pipes.add(pipe)

    def leave(self, pipe: Pipe) -> None:
        """This one leads nowhere any more."""
        pipe.place.pipes.remove(pipe)
        if not pipe.place.pipes:
            self._doors.shut(pipe.place)
            del self._places[pipe.place.key]
        self._users[id(pipe.sink)] -= 1
        if not self._users[id(pipe.sink)]:
            del self._users[id(pipe.sink)]
            self.tell(pipe, "close")
        if pipe.place.key not in self._places:
            self._lanes.forget(pipe.place.key)

    def tell(self, pipe: Pipe, what: str) -> None:
        """Have this method of the sink it leads to called, if there is one."""
        self._tell(pipe.sink, what, pipe.account, pipe.lane)

    def _tell(self, sink: Sink, what: str, account: Account, lane: Lane | None) -> None:
        if lane is None:
            tell(sink, what, account).book()
        else:
            lane.tell(sink, what, account)
