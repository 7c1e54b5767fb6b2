"""What is shown: watchers with their slots and processes, and sockets, at some moment.

Of a number that is not known there is None. Shares are in percent, ages in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Process(NamedTuple):
    """One that runs."""

    pid: int
    name: str = ""
    user: str = ""
    cpu: float | None = None
    memory: float | None = None
    resident: str = ""
    age: float | None = None
    below: tuple[Process, ...] = ()

    def all(self) -> Iterator[Process]:
        """It, then its children."""
        yield self
        yield from self.below


class Slot(NamedTuple):
    """A place for a worker, and who has it; `wid` is None where nobody tells."""

    wid: int | None
    state: str = ""
    story: tuple[str, ...] = ()
    """What it is doing and why, in lines for people."""
    process: Process | None = None


class Watcher(NamedTuple):
    """Of all its processes together there are `cpu` and `memory`."""

    name: str
    state: str = ""
    slots: tuple[Slot, ...] = ()

    @property
    def processes(self) -> list[Process]:
        """Those of all slots, with their children."""
        workers = (slot.process for slot in self.slots if slot.process is not None)
        return [one for worker in workers for one in worker.all()]

    @property
    def cpu(self) -> float | None:
        """None when nothing of it is known."""
        return _sum([one.cpu for one in self.processes])

    @property
    def memory(self) -> float | None:
        """None when nothing of it is known."""
        return _sum([one.memory for one in self.processes])


class Socket(NamedTuple):
    """One that circusd holds; `hits` are in hundredths of the last second that brought some."""

    fd: int
    name: str
    address: str
    hits: int | None = None
    queue: int | None = None
    backlog: int | None = None


class Snapshot(NamedTuple):
    """All of it."""

    watchers: tuple[Watcher, ...] = ()
    own: tuple[Process, ...] = ()
    """The processes that Circus is."""
    sockets: tuple[Socket, ...] = ()


def _sum(numbers: list[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
