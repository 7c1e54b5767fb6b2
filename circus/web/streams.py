"""Who is told of changes as they come: so many at a time, and of one session only a few."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from circus.web.board import Board

OF_ONE = 4
"""Streams of one session. One more ends the oldest, so that many tabs do not starve others; there
is none for who opens them faster than they end."""
HEARTBEAT = 10.0
"""Seconds after which something is sent even if there is nothing to tell."""
LONGEST = 300.0
"""Seconds after which a stream ends: whoever may not look any more is found out then."""
UNREAD = 15.0
"""Seconds that a reader may leave lying what it was sent."""
RETRY_MS = 1000
"""What browsers are asked to wait before they come again."""
CROWDED = b"event: crowded\ndata: {}\n\n"
"""The last words to the oldest of too many: do not come again at once."""


class Streams:
    """All that are open. For any number of threads. `look` tells that somebody is interested."""

    def __init__(
        self,
        board: Board,
        look: Callable[[], None],
        most: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.board = board
        self.look = look
        self.clock = clock
        self._most = most
        self._lock = threading.Lock()
        self._open: list[Stream] = []
        """Oldest first."""

    def __len__(self) -> int:
        return len(self._open)

    def open(
        self, whose: str, last: str, unsent: Callable[[], int], has_left: Callable[[], bool]
    ) -> Stream | None:
        """One more, from the message with id `last` on; None when there is no room.

        `unsent`: bytes of it that the reader has left lying so far. `has_left`: whether they may
        not look any more.
        """
        stream = Stream(self, whose, last, unsent, has_left)
        with self._lock:
            same = [one for one in self._open if one.whose == whose]
            going = [one for one in same if not one.crowded]
            full = sum(not one.crowded for one in self._open) >= self._most
            if len(same) >= 2 * OF_ONE or (full and not going):
                return None
            if full or len(going) >= OF_ONE:
                going[0].crowded = True
            self._open.append(stream)
        return stream

    def left(self, stream: Stream) -> None:
        """It is over."""
        with self._lock:
            if stream in self._open:
                self._open.remove(stream)


class Stream:
    """What one reader is sent, piece by piece. Each `next` blocks until there is something.

    Nothing more is sent to a reader that has not taken what came before: it misses some, and goes
    on with what is so by then. So its memory is bounded, and no write to it ever blocks.
    """

    def __init__(
        self,
        streams: Streams,
        whose: str,
        last: str,
        unsent: Callable[[], int],
        has_left: Callable[[], bool],
    ) -> None:
        self.whose = whose
        self.crowded = False
        """There are too many: this is to end, with the next thing that it is told."""
        self._streams = streams
        self._unsent = unsent
        self._has_left = has_left
        self._pieces = self._all(streams.board.number(last))

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """The server calls this at the end, whatever that was."""
        self._streams.left(self)

    def _all(self, last: int | None) -> Iterator[bytes]:
        board, clock = self._streams.board, self._streams.clock
        began = taken = sent = clock()
        yield b"retry: %d\n\n" % RETRY_MS
        while not board.closed and (now := clock()) - began < LONGEST:
            if self._has_left():
                return
            self._streams.look()
            if self._unsent():
                if self.crowded or now - taken > UNREAD:
                    return
                board.pause()
                continue
            if self.crowded:
                yield CROWDED
                return
            taken = now
            told = board.after(last)
            if told.text:
                last, sent = told.last, now
                yield told.text
            elif now - sent >= HEARTBEAT:
                sent = now
                yield b": still here\n\n"
            else:
                board.wait(told.last, sent + HEARTBEAT - now)
