"""Output into the systemd journal: one record for each line, under the pid of its worker."""

from __future__ import annotations

import re
import time
import weakref
from typing import TYPE_CHECKING

from circus.exc import CircusError
from circus.host import journal
from circus.stream.sink import Record, Source, Unwritten, payload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LINE_MAX = 48 << 10
"""Bytes of a line in one record; as in journald, a longer line becomes several."""
PATIENCE = 1.0
"""Seconds that workers wait for a journald that takes nothing. After that they go on, and what is
not taken is dropped."""
_PRIORITY = re.compile(rb"<0{0,2}([0-7])>")
_MODES = ("pipe", "direct")

_open: weakref.WeakValueDictionary[str, journal.Journal] = weakref.WeakValueDictionary()
"""By folder: all workers share one socket. Only the pump's thread uses it."""


class JournalStream:
    """Records with CIRCUS_WATCHER, _WID, _GENERATION, _STREAM and _PID.

    `identifier` (SYSLOG_IDENTIFIER) is the watcher's name unless given. A line may begin with its
    priority as `<n>`. `rate_limit` is in lines a second, for all workers of the watcher together;
    0 for none. With `mode` "direct" the workers get a stream of journald's own instead, see
    `open_direct`. `folder` is where journald listens.
    """

    names_workers = True

    def __init__(
        self,
        identifier: str | None = None,
        priority: str | int = 6,
        rate_limit: str | float = 0,
        mode: str = "pipe",
        folder: str = journal.FOLDER,
        **_options: object,
    ) -> None:
        self.priority = int(priority)
        if not 0 <= self.priority <= 7:
            raise CircusError(f"priority must be a number from 0 to 7, not {priority!r}")
        if mode not in _MODES:
            raise CircusError(f"mode must be pipe or direct, not {mode!r}")
        if identifier and not identifier.isprintable():
            raise CircusError(f"the identifier {identifier!r} has characters that cannot be shown")
        self.identifier = identifier
        self.direct = mode == "direct"
        self.folder = folder
        self.place = ("journal", folder)
        self.limit = Limit(float(rate_limit))

    def __call__(self, record: Record) -> None:
        """Take a record of nobody in particular. Raises Unwritten."""
        name = self.identifier or "circus"
        self.bound(Source(name, 0, record["pid"], record["name"]))(record)

    def bound(self, source: Source) -> Worker:
        """The sink for one stream of one worker."""
        return Worker(self, source)

    def open_direct(self, watcher: str) -> int:
        """A descriptor for a worker to write to, past circusd. Raises OSError."""
        return journal.open_stream(self.identifier or watcher, self.priority, self.folder)


class Limit:
    """How many lines may come: as many as in a second at once, and no more in the long run."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        if not rate >= 0:
            raise CircusError(f"rate_limit must be lines a second, not {rate!r}")
        self.rate = rate
        self._clock = clock
        self._left = max(rate, 1.0)
        self._at = clock()

    def reached(self) -> bool:
        """Whether the next line is one too many."""
        if not self.rate:
            return False
        now = self._clock()
        self._left = min(max(self.rate, 1.0), self._left + (now - self._at) * self.rate)
        self._at = now
        return self._left < 1.0

    def count(self) -> None:
        """One line more."""
        self._left -= 1.0


class Worker:
    """One stream of one worker."""

    prompt = True
    whole_lines = True

    def __init__(self, stream: JournalStream, source: Source) -> None:
        self.place = stream.place
        self._stream = stream
        self._pid = source.pid
        self._fields = b"".join(
            journal.field(name, str(value).encode(errors="surrogateescape"))
            for name, value in (
                ("SYSLOG_IDENTIFIER", stream.identifier or source.watcher),
                ("CIRCUS_WATCHER", source.watcher),
                ("CIRCUS_WID", source.wid),
                ("CIRCUS_GENERATION", source.generation),
                ("CIRCUS_STREAM", source.name),
                ("CIRCUS_PID", source.pid),
            )
        )
        self._journal: journal.Journal | None = None
        self._identity: journal.Identity | None = None
        self._heads: list[bytes] = []
        """What comes before the text, by priority; empty until it is known who the worker is."""
        self._going_on: int | None = None
        """The priority of a line of which a part was sent."""

    def open(self) -> None:
        """Nothing is connected before the first line."""
        folder = self._stream.folder
        found = _open.get(folder)
        if found is None:
            found = _open[folder] = journal.Journal(folder)
        self._journal = found

    def close(self) -> None:
        """The socket is closed with the last worker that uses it."""
        self._journal = None

    @property
    def settled(self) -> Callable[[], bool] | None:
        """Whether journald has taken what was sent: it looks then at who the worker is."""
        return None if self._journal is None else self._journal.settled

    def ended(self) -> None:
        """Its pid may be another's soon."""
        self._be(None)

    def __call__(self, record: Record) -> None:
        """One record for each line. Raises Unwritten."""
        if self._journal is None:
            self.open()
        if not self._heads:
            self._be(journal.identity_of(self._pid))
        limit = self._stream.limit
        data = bytes(payload(record))
        taken = 0
        for priority, start, stop, tail in self._parts(data):
            if limit.reached():
                reason = f"more than {limit.rate:g} lines a second"
                raise Unwritten(reason, written=taken)
            try:
                self._send(priority, data[start:stop], tail)
            except OSError as error:
                raise self._unwritten(error, taken) from error
            limit.count()
            ended = tail == b"\n"
            taken = stop + ended
            self._going_on = None if ended else priority

    def _parts(self, data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
        """For each record: priority, where its text begins and ends, and what follows the text."""
        begin = 0
        while begin < len(data):
            start, priority = begin, self._going_on
            if priority is None:
                priority = self._stream.priority
                if prefix := _PRIORITY.match(data, begin):
                    priority, start = int(prefix[1]), prefix.end()
            stop, tail = data.find(b"\n", start), b"\n"
            if stop < 0:
                stop, tail = len(data), b"\nCIRCUS_LINE_BREAK=unfinished\n"
            if stop - start > LINE_MAX:
                stop, tail = start + LINE_MAX, b"\nCIRCUS_LINE_BREAK=line-max\n"
            yield priority, start, stop, tail
            begin = stop + (tail == b"\n")

    def _send(self, priority: int, text: bytes, tail: bytes) -> None:
        assert self._journal is not None  # noqa: S101 open() made it
        if self._identity is not None:
            try:
                self._journal.send((self._heads[priority], text, tail), self._identity)
                return
            except (PermissionError, ProcessLookupError):
                self._be(None)
        self._journal.send((self._heads[priority], text, tail))

    def _be(self, identity: journal.Identity | None) -> None:
        """With None a record is from circusd, and says about whom it is."""
        self._identity = identity
        about = self._fields + (b"" if identity else b"OBJECT_PID=%d\n" % self._pid)
        self._heads = [b"PRIORITY=%d\n%sMESSAGE=" % (number, about) for number in range(8)]

    def _unwritten(self, error: OSError, taken: int) -> Unwritten:
        if isinstance(error, BlockingIOError) and self._journal is not None:
            full = self._journal.fileno()
            reason = "journald does not take it"
            return Unwritten(reason, written=taken, full=full, patience=PATIENCE)
        return Unwritten(f"cannot reach journald: {error.strerror}", written=taken)
