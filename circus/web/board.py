"""Where the feed puts what it finds, and where streams take it from."""

from __future__ import annotations

import dataclasses
import json
import os
import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from circus.web.deltas import difference
from circus.web.state import State

if TYPE_CHECKING:
    from typing import Any

KEPT_BYTES = 512 * 1024
"""So much of what was told is there for those who come back; who missed more begins anew."""
LONGEST = 8192
"""Bytes of one event of circusd; of a longer one only the topic is passed on."""


class Told(NamedTuple):
    """All that somebody has to be told who knew everything up to some number."""

    text: bytes
    last: int
    """The number of the latest message in it."""


class Board:
    """The present state, and the last messages by their numbers. For any number of threads.

    Nothing here waits for a reader, and none can hold up another.
    """

    def __init__(self, state: State | None = None) -> None:
        self._epoch = os.urandom(4).hex()
        self._news = threading.Condition()
        self._number = 0
        self._messages: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        self._state = dataclasses.replace(state or State(), id=self._id(0))
        self._json = self._state.as_json()
        self._document = (-1, "")
        self._closed = False

    # -- for the feed ------------------------------------------------

    def put(self, state: State) -> None:
        """This is how it is now."""
        with self._news:
            state = dataclasses.replace(state, id=self._id(self._number + 1))
            after = state.as_json()
            delta = {**difference(self._json, after), "id": state.id, "at": state.at}
            self._state, self._json = state, after
            self._tell("delta", delta)

    def happened(self, topic: str, message: dict[str, Any], at: float, size: int) -> None:
        """circusd told this event, of `size` bytes."""
        told = {"topic": topic, "message": message if size <= LONGEST else {}, "at": at}
        with self._news:
            self._tell("happened", told)

    def close(self) -> None:
        """Let everybody go who waits, now and from now on."""
        with self._news:
            self._closed = True
            self._news.notify_all()

    # -- for readers ------------------------------------------------

    @property
    def state(self) -> State:
        """The latest."""
        return self._state

    def document(self) -> str:
        """The same as JSON."""
        with self._news:
            return self._written()

    @property
    def closed(self) -> bool:
        """Whether there will be nothing more."""
        return self._closed

    def number(self, message_id: str) -> int | None:
        """The number in an id; None when it is none of ours, or none at all."""
        epoch, _, number = message_id.partition("-")
        if epoch != self._epoch or not (number.isascii() and number.isdigit()) or len(number) > 15:
            return None
        return int(number)

    def wait(self, last: int, seconds: float) -> None:
        """Until there is something after `last`, or time is up."""
        with self._news:
            if self._number == last and not self._closed:
                self._news.wait(seconds)

    def pause(self) -> None:
        """Until something happens, or a second has passed."""
        with self._news:
            if not self._closed:
                self._news.wait(1.0)

    def after(self, last: int | None) -> Told:
        """What there is after that number, as it goes through the stream.

        A snapshot for who knows nothing, or what is not there any more.
        """
        with self._news:
            if last is None or last > self._number or self._missed(last):
                return self._whole()
            found = [text for number, text in self._messages if number > last]
            return Told(b"".join(found), self._number)

    # -- inside ------------------------------------------------

    def _missed(self, last: int) -> bool:
        oldest = self._messages[0][0] if self._messages else self._number + 1
        return last + 1 < oldest

    def _whole(self) -> Told:
        return Told(_message("snapshot", self._id(self._number), self._written()), self._number)

    def _written(self) -> str:
        """Once for all who ask."""
        number, text = self._document
        if number != self._number:
            text = json.dumps({**self._json, "id": self._id(self._number)})
            self._document = self._number, text
        return text

    def _tell(self, event: str, told: dict[str, Any]) -> None:
        self._number += 1
        text = _message(event, self._id(self._number), json.dumps(told))
        self._messages.append((self._number, text))
        self._bytes += len(text)
        while self._bytes > KEPT_BYTES:
            self._bytes -= len(self._messages.popleft()[1])
        self._news.notify_all()

    def _id(self, number: int) -> str:
        return f"{self._epoch}-{number}"


def _message(event: str, message_id: str, data: str) -> bytes:
    """As server-sent events are written; JSON has no line breaks of its own."""
    return f"id: {message_id}\nevent: {event}\ndata: {data}\n\n".encode()
