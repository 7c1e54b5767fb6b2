"""Topics and the last few events; what PUB publishes."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from circus.wire import topic_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

KEPT = 1000
KEPT_BYTES = 1024 * 1024


def topic(watcher: str, event: str) -> bytes:
    """`watcher.<name>.<event>`, the name in lower case with `_` for blanks."""
    return f"watcher.{topic_name(watcher)}.{event}".encode()


class Event(NamedTuple):
    """One that was told; `payload` is JSON."""

    number: int
    topic: bytes
    payload: bytes


class Events:
    """Where everything that happens is told; `publish` (topic, JSON) never blocks.

    Each event has `seq`, which goes up by one from 1 on, and `instance`, which is another one for
    each process of circusd. The last `kept` are there for those who missed some.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self.publish: Callable[[bytes, bytes], None] | None = None
        self.instance = os.urandom(8).hex()
        self.last = 0
        """The number of the latest event."""
        self._kept: deque[Event] = deque()
        self._kept_max = kept
        self._bytes = 0

    @property
    def oldest(self) -> int:
        """The number of the first event that is still there, or is to come."""
        return self.last - len(self._kept) + 1

    def tell(self, watcher: str, event: str, **fields: object) -> None:
        """Publish one event, with the time (epoch seconds) it is told at."""
        self.last += 1
        marks = {"seq": self.last, "instance": self.instance}
        payload = json.dumps({"time": time.time(), **fields, **marks}).encode()
        self._keep(Event(self.last, topic(watcher, event), payload))
        if self.publish is not None:
            self.publish(topic(watcher, event), payload)

    def go_on(self, before: Events) -> None:
        """Be the same instance as one that has ended, with its numbers and what it has kept.

        For one that has told nothing yet.
        """
        self.instance, self.last = before.instance, before.last
        for event in before.since(0):
            self._keep(event)

    def since(self, number: int, topics: Sequence[str] = ()) -> list[Event]:
        """Those that are there with a greater number, of the topics that begin so."""
        beginnings = tuple(one.encode() for one in topics) or (b"",)
        later = itertools.islice(self._kept, max(0, number + 1 - self.oldest), None)
        return [event for event in later if event.topic.startswith(beginnings)]

    def _keep(self, event: Event) -> None:
        self._kept.append(event)
        self._bytes += _size(event)
        while self._kept and (len(self._kept) > self._kept_max or self._bytes > KEPT_BYTES):
            self._bytes -= _size(self._kept.popleft())


def _size(event: Event) -> int:
    return len(event.topic) + len(event.payload)
