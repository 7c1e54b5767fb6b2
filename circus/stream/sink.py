"""What a sink is: something that takes pieces of output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from circus.exc import CircusError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Record: TypeAlias = dict[str, Any]
"""`pid`, `name` ("stdout" or "stderr"), `data` (bytes) and `timestamp` (seconds since 1970)."""

Piece: TypeAlias = bytes | memoryview
"""Output. A view is lent: it holds for the time of a call only."""


@dataclass(frozen=True, slots=True)
class Source:
    """Whose output it is; `name` is "stdout" or "stderr", `generation` that of its pool."""

    watcher: str
    wid: int
    pid: int
    name: str
    generation: int = 1


class Sink(Protocol):
    """Called with one record at a time, in a thread or greenlet of its own; others do not wait.

    `data` holds whole lines as far as the worker writes lines. What is raised is reported and the
    data counted as dropped; the next record is tried all the same.

    One that never blocks says so by `prompt = True`, in its class itself: it is called by the pump.

    May also have `open()`, called before the first record and again after a `close()`; `close()`,
    called when the last pipe that leads here has ended; `reopen()`, called on SIGUSR1; `ended()`,
    called when the worker is dead, whose last records may come after that. Sinks that
    write to one place say so by an equal `place`: then their lines are kept whole together.

    With `bound(source)` it gives another sink, for one pipe, that is used in its place. With
    `whole_lines = True` an unfinished line waits for its end however long that takes. With
    `names_workers = True` the dead are collected after their pipes were read, if they can be, and
    after `settled()`, if it has that, has said that nothing it took is still on its way.
    """

    def __call__(self, data: Record, /) -> object:
        """Take one record."""


class Unwritten(CircusError):
    """A sink could not take all of the data: the first `written` bytes did arrive.

    `full` is a descriptor when nothing is wrong but it: to a prompt sink the rest is offered again
    once it can be written to. Workers wait meanwhile, for `patience` seconds if that is given: then
    they go on, and only what they wrote last is kept.
    """

    def __init__(
        self,
        message: str,
        *,
        written: int = 0,
        full: int | None = None,
        patience: float | None = None,
    ) -> None:
        super().__init__(message)
        self.written = written
        self.full = full
        self.patience = patience


def place_of(sink: Sink) -> Hashable:
    """What `sink` writes to; a sink that does not say is a place of its own."""
    place: Hashable = getattr(sink, "place", None)
    return place if place is not None else ("sink", id(sink))


def bound(sink: Sink, source: Source) -> Sink:
    """The sink that takes the output of `source`."""
    bind: Callable[[Source], Sink] | None = getattr(sink, "bound", None)
    return sink if bind is None else bind(source)


def borrows(sink: Sink) -> bool:
    """Whether `data` may be lent to this sink as a view, which saves a copy.

    Its class says so by `borrows = True`. That is not inherited: a subclass that looks into the
    data expects bytes.
    """
    return bool(vars(type(sink)).get("borrows"))


def is_prompt(sink: Sink) -> bool:
    """Whether this sink never blocks. That is not inherited either."""
    return "prompt" in vars(type(sink)) and bool(getattr(sink, "prompt", False))


def payload(record: Record) -> Piece:
    """The data of a record; programs that use a sink by hand also pass text."""
    data: Piece | str = record["data"]
    return data.encode() if isinstance(data, str) else data
