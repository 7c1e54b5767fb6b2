"""The lines of the tree: watchers, below them their slots, below these what workers started."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from circus.picture.model import Process, Slot, Snapshot, Socket, Watcher

Key = tuple[str, ...]
"""What a row is about, also when it has moved."""


class Order(Enum):
    """What rows that stand beside each other are sorted by; the value is the key for it."""

    NAME = "n"
    CPU = "c"
    MEMORY = "m"
    AGE = "a"
    PID = "p"


class Row(NamedTuple):
    """One line. `watcher` and `worker` say what a command about it is for."""

    key: Key
    depth: int
    name: str
    watcher: str = ""
    worker: int | None = None
    """Pid of the worker that it is, or that it belongs to."""
    pid: int | None = None
    state: str = ""
    cpu: float | None = None
    memory: float | None = None
    resident: str = ""
    age: float | None = None
    command: str = ""
    user: str = ""
    story: tuple[str, ...] = ()
    below: tuple[Row, ...] = ()


def tree(snapshot: Snapshot) -> list[Row]:
    """All of it: rows of watchers, with what is below them."""
    found = [_watcher(one) for one in snapshot.watchers]
    if snapshot.sockets:
        below = tuple(map(_socket, snapshot.sockets))
        found.append(Row(("sockets",), 0, "sockets", state=str(len(below)), below=below))
    return found


def flat(rows: Iterable[Row]) -> list[Row]:
    """Every process by itself."""
    slots = [slot for row in rows for slot in row.below if slot.pid is not None]
    return [one._replace(depth=0) for slot in slots for one in (slot, *slot.below)]


def matching(rows: Iterable[Row], text: str) -> list[Row]:
    """Those that have this text, with all below them, and what such a row is below of."""
    if not text:
        return list(rows)
    found = []
    for row in rows:
        if has(row, text):
            found.append(row)
        elif below := matching(row.below, text):
            found.append(row._replace(below=tuple(below)))
    return found


def has(row: Row, text: str) -> bool:
    """Whether it shows this text, in capitals or not."""
    shown = (row.name, str(row.pid or ""), row.state, row.command, row.user)
    return any(text.lower() in one.lower() for one in shown)


def ordered(rows: Iterable[Row], order: Order, *, reverse: bool = False) -> list[Row]:
    """Sorted, and what is below each of them too; `sockets` comes last.

    Those that are equal stand by their names, whatever the direction.
    """
    found = sorted(rows, key=_BY[Order.NAME])
    found.sort(key=_BY[order], reverse=descends(order, reverse=reverse))
    found.sort(key=lambda row: row.key == ("sockets",))
    return [row._replace(below=tuple(ordered(row.below, order, reverse=reverse))) for row in found]


def descends(order: Order, *, reverse: bool) -> bool:
    """Whether the biggest comes first: of names and pids it does when it is the other way round."""
    return reverse != (order not in (Order.NAME, Order.PID))


def opened(rows: Iterable[Row], closed: frozenset[Key]) -> Iterator[Row]:
    """From top to bottom, without what is below those that are closed."""
    for row in rows:
        yield row
        if row.key not in closed:
            yield from opened(row.below, closed)


_BY: dict[Order, Callable[[Row], tuple[object, ...]]] = {
    Order.NAME: lambda row: ([key.lower() for key in row.key[1:2]], len(row.key[-1]), row.name),
    Order.CPU: lambda row: (row.cpu or 0.0,),
    Order.MEMORY: lambda row: (row.memory or 0.0,),
    Order.AGE: lambda row: (row.age or 0.0,),
    Order.PID: lambda row: (row.pid or 0,),
}


def _watcher(watcher: Watcher) -> Row:
    slots = [_slot(watcher, slot, number) for number, slot in enumerate(watcher.slots, 1)]
    ages = [slot.age for slot in slots if slot.age is not None]
    running = sum(slot.pid is not None for slot in slots)
    return Row(
        ("watcher", watcher.name),
        0,
        watcher.name,
        watcher.name,
        state=watcher.state,
        cpu=watcher.cpu,
        memory=watcher.memory,
        age=max(ages, default=None),
        command=f"{running} of {len(slots)} run",
        story=tuple(f"{slot.name}: {'; '.join(slot.story)}" for slot in slots if slot.pid is None),
        below=tuple(slots),
    )


def _slot(watcher: Watcher, slot: Slot, number: int) -> Row:
    wid = str(number if slot.wid is None else slot.wid)
    row = Row(
        ("slot", watcher.name, wid), 1, f"{watcher.name}.{wid}", watcher.name,
        state=slot.state, story=slot.story,
    )  # fmt: skip
    if slot.process is None:
        return row
    pid = slot.process.pid
    below = tuple(_process(one, watcher.name, pid, 2) for one in slot.process.below)
    return _with(row, slot.process)._replace(worker=pid, below=below)


def _process(process: Process, watcher: str, worker: int, depth: int) -> Row:
    row = Row(("process", watcher, str(process.pid)), depth, process.name, watcher, worker)
    return _with(row, process)


def _with(row: Row, process: Process) -> Row:
    return row._replace(
        pid=process.pid, cpu=process.cpu, memory=process.memory, resident=process.resident,
        age=process.age, command=process.name, user=process.user,
    )  # fmt: skip


def _socket(sock: Socket) -> Row:
    hits = "" if sock.hits is None else f"{sock.hits} hits"
    queue = "" if sock.queue is None else f", {sock.queue} of {sock.backlog} wait"
    return Row(
        ("socket", str(sock.fd)), 1, sock.name or str(sock.fd), state=hits,
        command=f"{sock.address}{queue}",
    )  # fmt: skip
