"""What is published: topics and messages, as circus 0.19 has them, with some keys more.

stat.WATCHER.PID    a worker, or of the watcher `circus` a process of Circus itself
stat.WATCHER        all of them
stat.sockets.FD     a socket
stat.sockets        all of them
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Told = dict[str, Any]
    Message = tuple[str, Told]

OWN = "circus"
"""In place of a watcher: the processes that Circus is."""
SOCKETS = "sockets"
UNKNOWN = "N/A"


def topic(name: str, subtopic: int | None = None) -> str:
    """`name` is that of a watcher as topics have it, or one of those above."""
    return f"stat.{name}" if subtopic is None else f"stat.{name}.{subtopic}"


def of_watcher(name: str, infos: Sequence[Told]) -> Iterator[Message]:
    """Of each process that `infos` tells of, then of all."""
    for info in infos:
        pid = info["pid"]
        yield topic(name, pid), {**info, "subtopic": pid, "name": info.get("name")}
    yield topic(name), total(infos)


def total(infos: Sequence[Told]) -> Told:
    """The mean of the CPU shares, the sum of the memory, the age of the oldest."""
    cpu, memory, age = (_numbers(infos, key) for key in ("cpu", "mem", "age"))
    return {
        "pid": [info["pid"] for info in infos],
        "cpu": UNKNOWN if cpu is None else round(sum(cpu) / len(cpu), 2) if cpu else 0.0,
        "mem": UNKNOWN if memory is None else round(sum(memory), 3) if memory else 0,
        "age": max(age) if age else UNKNOWN,
    }


def _numbers(infos: Sequence[Told], key: str) -> list[float] | None:
    """None when one of them is not known."""
    values = [info.get(key) for info in infos]
    numbers = [value for value in values if isinstance(value, int | float)]
    return numbers if len(numbers) == len(values) else None


def of_sockets(sockets: Sequence[Told]) -> Iterator[Message]:
    """Of each, then of all; none when there are none."""
    for one in sockets:
        yield topic(SOCKETS, one["fd"]), {**one, "subtopic": one["fd"]}
    if sockets:
        reads = sum(one["reads"] for one in sockets)
        yield topic(SOCKETS), {"addresses": [one["address"] for one in sockets], "reads": reads}


def overlap(subscription: str, beginning: str) -> bool:
    """Whether who has this subscription may want something that begins so."""
    return beginning.startswith(subscription) or subscription.startswith(beginning)
