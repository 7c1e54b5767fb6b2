"""What sinks run in beside the pump: threads, or greenlets of one thread."""

from __future__ import annotations

import collections
import importlib
import queue
import threading
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from circus.config.schema import Problem
from circus.exc import CircusError

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.config.model import CircusConfig

SPARE = 4
"""So many threads wait for work when there is none; more end."""


Work: TypeAlias = "Callable[[], object]"
"""What it returns says whether there is more to do."""


class Beside(Protocol):
    """Runs what it is called with, soon, and again while that says so; returns at once."""

    def __call__(self, work: Work, /) -> None:
        """`work` does not raise."""

    def close(self) -> None:
        """Nothing more comes. What runs is left alone."""


def beside(backend: str) -> Beside:
    """The one of `stream_backend`. Raises CircusError."""
    return Greenlets() if backend == "gevent" else Threads()


def survey_backend(circus: CircusConfig, where: Callable[[str, str], str]) -> list[Problem]:
    """Whether the one that is asked for is installed."""
    try:
        beside(circus.stream_backend)
    except CircusError as error:
        return [Problem(where("circus", "stream_backend"), str(error))]
    return []


class Threads:
    """Each work has a thread for itself: one that has done its own, or a new one."""

    def __init__(self) -> None:
        self._works: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._closed = False

    def __call__(self, work: Work) -> None:
        """Run it."""
        with self._lock:
            if self._waiting:
                self._waiting -= 1
                self._works.put(work)
                return
        try:
            threading.Thread(target=self._run, args=(work,), name="sink", daemon=True).start()
        except RuntimeError:  # there may be no more threads: better late than never
            while work():
                pass

    def _run(self, work: Work) -> None:
        following: Work | None = work
        while following is not None:
            while following():
                pass
            with self._lock:
                if self._closed or self._waiting >= SPARE:
                    return
                self._waiting += 1
            following = self._works.get()

    def close(self) -> None:
        """Those that wait end."""
        with self._lock:
            self._closed = True
            for _thread in range(self._waiting):
                self._works.put(None)
            self._waiting = 0


class Greenlets:
    """Each work has a greenlet, all in one thread: one that waits in gevent's ways lets others go
    on, one that really blocks holds up them all.
    """

    def __init__(self) -> None:
        """Raises CircusError."""
        try:
            self._gevent = importlib.import_module("gevent")
            self._over = importlib.import_module("gevent.event").Event()
        except ImportError as error:
            raise CircusError(
                f"stream_backend = gevent needs gevent, which circus[gevent] brings: {error}"
            ) from error
        self._works: collections.deque[Work] = collections.deque()
        self._lock = threading.Lock()
        self._wake: Any = None
        """Of the hub in the thread, which gives work to others only when it is told to."""
        self._closed = False

    def __call__(self, work: Work) -> None:
        """Run it."""
        self._works.append(work)
        with self._lock:
            if self._wake is None:
                self._start()
            self._wake.send()

    def _start(self) -> None:
        ready = threading.Event()
        thread = threading.Thread(target=self._run, args=(ready,), name="gevent", daemon=True)
        thread.start()
        ready.wait()

    def _run(self, ready: threading.Event) -> None:
        hub = self._gevent.get_hub()
        self._wake = hub.loop.async_()
        self._wake.start(self._begin)
        ready.set()
        self._over.wait()
        self._wake.close()
        hub.destroy(destroy_loop=True)

    def _begin(self) -> None:
        while self._works:
            self._gevent.spawn(self._go_on, self._works.popleft())
        if self._closed:
            self._over.set()

    def _go_on(self, work: Work) -> None:
        while work():
            self._gevent.sleep(0)  # the others have their turn

    def close(self) -> None:
        """The thread ends, with what still waits in it."""
        with self._lock:
            self._closed = True
            if self._wake is not None:
                self._wake.send()
