"""Reads every worker's pipes in a thread of its own, so that no output can hold up control.

Lines stay whole: what follows the last newline waits for the rest of its line, at most
LINE_MOST bytes of it. A sink that is slow lets its pipes fill: the worker waits, memory does not
grow. With nothing to read the thread sleeps.
"""

from __future__ import annotations

import collections
import contextlib
import fcntl
import os
import select
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.stream.conf import Sink

READ = 1 << 20
LINE_MOST = 1 << 20
LET_GO = 5.0
"""Seconds that a pipe outlives its worker while somebody else holds it and nothing comes."""
TELL_AGAIN = 10.0
"""Seconds between two reports of the same sink's trouble."""


@dataclass(frozen=True, slots=True)
class Source:
    """Whose output it is."""

    watcher: str
    wid: int
    pid: int
    name: str


@dataclass(slots=True)
class Counts:
    """Bytes that came, and those that no sink would take."""

    bytes_in: int = 0
    bytes_dropped: int = 0


class _Pipe:
    __slots__ = ("fd", "sink", "source", "tail")

    def __init__(self, fd: int, sink: Sink, source: Source) -> None:
        self.fd = fd
        self.sink = sink
        self.source = source
        self.tail = b""


class Pump:
    """All methods may be called from any thread and do not block, but `close`."""

    def __init__(self, on_trouble: Callable[[Source, str], None] | None = None) -> None:
        self._on_trouble = on_trouble
        self._told: dict[int, float] = {}
        self._epoll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake, select.EPOLLIN)
        self._orders: collections.deque[Callable[[], None]] = collections.deque()
        self._pipes: dict[int, _Pipe] = {}
        self._by_pid: dict[int, list[_Pipe]] = {}
        self._leaving: dict[_Pipe, float] = {}
        """Pipes whose worker is dead, and when they are let go."""
        self._users: collections.Counter[int] = collections.Counter()
        self._counts: dict[tuple[str, str], Counts] = {}
        self._closing: float | None = None
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)

    def start(self) -> None:
        """Begin reading."""
        self._thread.start()

    def attach(self, fd: int, sink: Sink, source: Source) -> None:
        """Read this pipe until its end. The descriptor is the pump's from now on."""
        with contextlib.suppress(OSError):  # a user may not have more; what there is will do
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, READ)
        self._order(lambda: self._attach(_Pipe(fd, sink, source)))

    def ended(self, pid: int) -> None:
        """This worker is dead: its pipes are let go when nothing comes for LET_GO seconds."""
        self._order(lambda: self._ended(pid))

    def reopen(self) -> None:
        """Have every sink open its file anew."""
        self._order(self._reopen)

    def counts(self) -> dict[tuple[str, str], Counts]:
        """By watcher and stream; the numbers go on changing."""
        return dict(self._counts)

    def close(self, within: float) -> None:
        """Read what is there, for at most `within` seconds, then end. Blocks that long."""
        self._order(lambda: self._close_at(time.monotonic() + within))
        if self._thread.ident is not None:
            self._thread.join()
        self._epoll.close()
        os.close(self._wake)

    # -- everything below runs in the thread ------------------------------------------------

    def _order(self, order: Callable[[], None]) -> None:
        self._orders.append(order)
        os.eventfd_write(self._wake, 1)

    def _run(self) -> None:
        while self._closing is None or (self._pipes and time.monotonic() < self._closing):
            for fd, _event in self._epoll.poll(self._patience()):
                if fd == self._wake:
                    self._obey()
                elif fd in self._pipes:
                    self._read(self._pipes[fd])
            self._let_go()
        for pipe in list(self._pipes.values()):
            self._finish(pipe)

    def _patience(self) -> float | None:
        """Seconds until something is due without anything coming; None for ever."""
        moments = list(self._leaving.values())
        if self._closing is not None:
            moments.append(self._closing)
        return max(0.0, min(moments) - time.monotonic()) if moments else None

    def _obey(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        while self._orders:
            self._orders.popleft()()

    def _attach(self, pipe: _Pipe) -> None:
        self._pipes[pipe.fd] = pipe
        self._by_pid.setdefault(pipe.source.pid, []).append(pipe)
        self._users[id(pipe.sink)] += 1
        key = (pipe.source.watcher, pipe.source.name)
        self._counts.setdefault(key, Counts())
        self._epoll.register(pipe.fd, select.EPOLLIN)

    def _ended(self, pid: int) -> None:
        for pipe in self._by_pid.get(pid, ()):
            self._leaving[pipe] = time.monotonic() + LET_GO

    def _reopen(self) -> None:
        for sink in {id(pipe.sink): pipe.sink for pipe in self._pipes.values()}.values():
            reopen = getattr(sink, "reopen", None)
            if reopen is not None:
                reopen()

    def _close_at(self, moment: float) -> None:
        self._closing = moment

    def _read(self, pipe: _Pipe) -> None:
        try:
            chunk = os.read(pipe.fd, READ)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self._finish(pipe)
            return
        self._counts[pipe.source.watcher, pipe.source.name].bytes_in += len(chunk)
        if pipe in self._leaving:
            self._leaving[pipe] = time.monotonic() + LET_GO
        end = chunk.rfind(b"\n") + 1
        if end:
            self._give(pipe, pipe.tail + chunk[:end] if pipe.tail else _upto(chunk, end))
            pipe.tail = chunk[end:]
        else:
            pipe.tail += chunk
        if len(pipe.tail) >= LINE_MOST:
            tail, pipe.tail = pipe.tail, b""
            self._give(pipe, tail)

    def _give(self, pipe: _Pipe, data: bytes) -> None:
        source = pipe.source
        try:
            pipe.sink({"pid": source.pid, "name": source.name, "data": data,
                       "timestamp": time.time()})  # fmt: skip
        except Exception as error:  # noqa: BLE001 a sink is the user's code
            self._counts[source.watcher, source.name].bytes_dropped += len(data)
            self._tell(pipe, error)

    def _tell(self, pipe: _Pipe, error: Exception) -> None:
        now = time.monotonic()
        if (
            self._on_trouble is None
            or now - self._told.get(id(pipe.sink), -TELL_AGAIN) < TELL_AGAIN
        ):
            return
        self._told[id(pipe.sink)] = now
        dropped = self._counts[pipe.source.watcher, pipe.source.name].bytes_dropped
        self._on_trouble(pipe.source, f"{error}; {dropped} bytes dropped so far")

    def _let_go(self) -> None:
        now = time.monotonic()
        for pipe in [pipe for pipe, moment in self._leaving.items() if moment <= now]:
            self._finish(pipe)

    def _finish(self, pipe: _Pipe) -> None:
        if pipe.tail:
            self._give(pipe, pipe.tail)
        self._leaving.pop(pipe, None)
        del self._pipes[pipe.fd]
        self._epoll.unregister(pipe.fd)
        os.close(pipe.fd)
        siblings = self._by_pid[pipe.source.pid]
        siblings.remove(pipe)
        if not siblings:
            del self._by_pid[pipe.source.pid]
        self._users[id(pipe.sink)] -= 1
        if not self._users[id(pipe.sink)]:
            del self._users[id(pipe.sink)]
            self._told.pop(id(pipe.sink), None)
            close = getattr(pipe.sink, "close", None)
            if close is not None:
                close()


def _upto(chunk: bytes, end: int) -> bytes:
    """The whole chunk, not a copy, when it ends with its last line."""
    return chunk if end == len(chunk) else chunk[:end]
