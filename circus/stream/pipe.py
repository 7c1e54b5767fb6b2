"""What the pump knows about one pipe, and about one place that pipes lead to."""

from __future__ import annotations

import collections
import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING

from circus.stream.lines import Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from circus.stream.lane import Lane, Loan
    from circus.stream.ledger import Account
    from circus.stream.sink import Piece, Record, Sink, Source

LINE_BYTES = 256 << 10
"""A longer line is passed on in pieces."""
DEFAULT_BYTES = 64 << 10
"""What the kernel lets a pipe hold."""
BUSY_BYTES = 256 << 10
"""What a busy one may hold. With more, what was read leaves the cache before it is written."""
KEPT_BYTES = 4 << 20
"""What is kept for a full place that workers no longer wait for."""
BUFFER_BYTES = LINE_BYTES + BUSY_BYTES
"""What is read into, see `Lines.cut`."""
SHARE_BYTES = 16 << 10
"""As much as that each pipe counts there, so that there are not too many either."""


class Pipe:
    """One worker's stdout or stderr, and the sink that it leads to."""

    sink: Sink
    place: Place

    def __init__(self, fd: int, source: Source, account: Account) -> None:
        self.fd = fd
        self.source = source
        self.account = account
        self.led = False
        """Whether it leads to a sink yet."""
        self.lane: Lane | None = None
        """Where its sink is called, if not by the pump itself."""
        self.lends = False
        """Whether its sink borrows."""
        self.patient = False
        """Whether its sink wants whole lines."""
        self.lines = Lines(LINE_BYTES)
        self.pending = b""
        """What a full sink has not taken; while there is any, nothing more is read."""
        self.due: float | None = None
        """When its silence is to be noticed, on the monotonic clock."""
        self.queued = False
        self.listening = False
        self.orphaned = False
        """Its worker is dead."""
        self.at_end = False
        self.busy = False
        """Whether there was much to be read of late."""
        self.loan: Loan | None = None
        """While there is one, its lane reads it, and nobody else."""
        self._room = DEFAULT_BYTES

    def read(self, buffer: bytearray) -> int:
        """Read what is there into the middle of a buffer, see `Lines.cut`. How much; 0 at the end.

        Raises BlockingIOError when there is nothing.
        """
        try:
            size = os.readv(self.fd, [memoryview(buffer)[LINE_BYTES : LINE_BYTES + self._room]])
        except BlockingIOError:
            raise
        except OSError:  # a terminal or a socket that was hung up
            size = 0
        self.busy = size > DEFAULT_BYTES // 2
        if self.busy and self._room == DEFAULT_BYTES:
            self._grow()
        return size

    def record(self, data: Piece) -> Record:
        """What its sink is called with."""
        data = data if self.lends else bytes(data)
        source = self.source
        return {"pid": source.pid, "name": source.name, "data": data, "timestamp": time.time()}

    def has_room(self) -> bool:
        """Whether its sink can be given something."""
        return self.place.door < 0 and (self.lane is None or self.lane.has_room())

    def arrived(self) -> Callable[[], bool] | None:
        """What tells, also later, whether all that its sink was given has arrived.

        None when that is certain.
        """
        lane, settled = self.lane, getattr(self.sink, "settled", None)
        if lane is None:
            return settled
        return lambda: lane.is_idle() and (settled is None or settled())

    def drop_all(self, reason: str) -> None:
        """What waits goes nowhere."""
        dropped, self.pending = self.pending, b""
        self.account.drop(dropped, reason)

    def drop(self, size: int, reason: str) -> None:
        """So many bytes of what waits go nowhere, and the rest of their last line, but not all."""
        end = self.pending.find(b"\n", size - 1, -1) + 1 or size
        dropped, self.pending = self.pending[:end], self.pending[end:]
        self.account.drop(dropped, reason)

    def _grow(self) -> None:
        """It is busy: let it hold more. Only such a one, since a user's pipes share one limit."""
        self._room = BUSY_BYTES
        with contextlib.suppress(OSError):  # there is no more; it goes on as it is
            fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, BUSY_BYTES)


class Place:
    """What sinks write to. There is one as long as a pipe leads there."""

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.pipes: set[Pipe] = set()
        self.waiting: collections.deque[Pipe] = collections.deque()
        """Those with something pending, in the order they came."""
        self.door = -1
        """The descriptor to wait for while it is full."""
        self.until: float | None = None
        """When those who wait may go on all the same, on the monotonic clock."""
        self.overflows = False
        """That moment has come: pipes are read, and what was written last is kept."""
        self.reason = ""
        """Why it is full."""

    def drop_oldest(self) -> list[Pipe]:
        """Drop what is too much. Returns the pipes of which nothing is left: they wait no more."""
        emptied = []
        excess = sum(max(SHARE_BYTES, len(pipe.pending)) for pipe in self.waiting) - KEPT_BYTES
        while excess > 0 and len(self.waiting) > 1:
            pipe = self.waiting.popleft()
            excess -= max(SHARE_BYTES, len(pipe.pending))
            pipe.drop_all(self.reason)
            emptied.append(pipe)
        if excess > 0:
            self.waiting[0].drop(excess, self.reason)
        return emptied
