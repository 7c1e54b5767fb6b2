"""From messages of circusd-stats and answers of circusd to what is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circus.commands.text import duration
from circus.picture.model import Process, Slot, Snapshot, Socket, Watcher
from circus.stats.messages import OWN, SOCKETS
from circus.wire import topic_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Told = Mapping[str, Any]

BELIEVED = 3.0
"""Seconds for which a process is shown of which nothing is heard."""


class Gatherer:
    """Keeps the last of everything. Moments are monotonic seconds.

    `believed`: how long a process is shown after its last message.
    """

    def __init__(self, believed: float = BELIEVED) -> None:
        self._believed = believed
        self._told: dict[tuple[str, str], tuple[float, Told]] = {}
        self._watchers: Sequence[Told] | None = None

    def take(self, watcher: str, subtopic: str | None, message: Told, now: float) -> None:
        """What a StatsClient gives; a message about all of a watcher adds nothing."""
        if subtopic is not None:
            self._told[watcher, subtopic] = now, message

    def take_stats(self, infos: Mapping[str, Told], daemon: Told, now: float) -> None:
        """The same as answers to `stats` and `dstats`."""
        for watcher, workers in infos.items():
            for pid, info in workers.items():
                if isinstance(info, dict):  # else it has just ended
                    self.take(topic_name(watcher), str(pid), info, now)
        self.take(OWN, str(daemon.get("pid")), {**daemon, "name": "circusd"}, now)

    def take_sockets(self, sockets: Sequence[Told], now: float) -> None:
        """The same as an answer to `listsockets`, which tells of no hits."""
        for one in sockets:
            address = one["path"] if "path" in one else f"{one['host']}:{one['port']}"
            self.take(SOCKETS, str(one["fd"]), {**one, "address": address}, now)

    def explain(self, watchers: Sequence[Told] | None) -> None:
        """What `why` tells of all; None when nobody answers any more."""
        self._watchers = watchers

    def snapshot(self, now: float) -> Snapshot:
        """What there is at this moment."""
        self._told = {
            key: told for key, told in self._told.items() if now - told[0] <= self._believed
        }
        own = tuple(_process(one) for one in self._of(OWN).values())
        sockets = tuple(_socket(one) for one in self._of(SOCKETS).values())
        return Snapshot(tuple(self._explained()), own, sockets)

    def _of(self, name: str) -> dict[str, Told]:
        return {pid: told for (watcher, pid), (_, told) in self._told.items() if watcher == name}

    def _explained(self) -> Iterable[Watcher]:
        by_name: dict[str, dict[str, Told]] = {}
        for (name, pid), (_, told) in self._told.items():
            by_name.setdefault(name, {})[pid] = told
        if self._watchers is None:
            names = (name for name in by_name if name not in (OWN, SOCKETS))
            return [Watcher(name, "", _unexplained(by_name[name])) for name in names]
        return [
            Watcher(
                one["name"],
                one["state"],
                _slots(one.get("slots"), by_name.get(topic_name(one["name"]), {})),
            )
            for one in self._watchers
        ]


def _unexplained(told: Mapping[str, Told]) -> tuple[Slot, ...]:
    """The slots that messages alone tell of."""
    return tuple(Slot(one.get("wid"), "", (), _process(one)) for one in told.values())


def _slots(slots: Sequence[Told] | None, told: Mapping[str, Told]) -> tuple[Slot, ...]:
    if slots is None:  # circus 0.19 knows none
        return _unexplained(told)
    found = []
    for slot in slots:
        info = told.get(str(slot["pid"]))
        process = None
        if slot["pid"]:
            process = Process(slot["pid"]) if info is None else _process(info)
        found.append(Slot(slot["wid"], slot["state"], _story(slot), process))
    return tuple(found)


def _story(slot: Told) -> tuple[str, ...]:
    times = "once" if slot["restarts"] == 1 else f"{slot['restarts']} times"
    restarts = f", restarted {times}" if slot["restarts"] else ""
    lines = [f"{slot['what']} since {duration(slot['since'])}{restarts}"]
    lines += [f"last: {slot['last']}"] if slot["last"] else []
    lines += [f"next: {slot['next']}"] if slot["next"] not in ("", "nothing") else []
    return tuple(lines)


def _process(told: Told) -> Process:
    return Process(
        told["pid"],
        str(told.get("name") or told.get("cmdline") or ""),
        str(told.get("username", "")),
        _number(told.get("cpu")),
        _number(told.get("mem")),
        str(told.get("mem_info1", "")),
        _number(told.get("age")),
        tuple(_process(one) for one in told.get("children", ()) if isinstance(one, dict)),
    )


def _socket(told: Told) -> Socket:
    return Socket(
        told["fd"],
        str(told.get("name", "")),
        str(told["address"]),
        told.get("reads"),
        told.get("queue"),
        told.get("backlog"),
    )


def _number(told: object) -> float | None:
    return told if isinstance(told, int | float) else None
