"""What there is to show at a moment: what circusd runs, or ran when it was last heard.

Moments are epoch seconds, shares percent, memory bytes. A number that nobody knows is None, and is
left out of the JSON: a merge patch (RFC 7396) can only say of a key that it is gone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from circus.config.stats import NAME as STATS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from circus.picture.model import Process, Snapshot, Watcher

    Told = Mapping[str, Any]
    JSON = dict[str, Any]

JITTER = 1.0
"""Seconds by which two answers may differ that tell of the same moment."""

BUSY = {"spawning": "starting", "starting": "starting", "stopping": "stopping"}
FALLEN = {"backoff": ("backs off", "back off"), "failed": ("was given up", "were given up")}


@dataclass(frozen=True, slots=True)
class DaemonState:
    """circusd itself; `stats` is the state of its watcher of statistics, empty without one."""

    pid: int | None = None
    version: str = ""
    cpu: float | None = None
    mem: float | None = None
    rss: int | None = None
    age: float | None = None
    stats: str = ""


@dataclass(frozen=True, slots=True)
class WatcherState:
    """One watcher: `ready` of `total` workers, where `wanted` are configured."""

    state: str
    group: str = ""
    ready: int | None = None
    total: int | None = None
    wanted: int | None = None
    restarts: int | None = None
    cpu: float | None = None
    mem: float | None = None
    rss: int | None = None
    changed: float | None = None
    """When one of its workers changed last."""
    progress: str = ""
    """What is going on that will end."""
    trouble: str = ""
    """What is wrong, in a sentence."""


@dataclass(frozen=True, slots=True)
class SocketState:
    """One that circusd holds; `hits` as circus-top has them."""

    fd: int | None
    address: str
    queue: int | None = None
    backlog: int | None = None
    hits: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything. `live`: circusd answers, `since` then; else `reason` says why not.

    It was then last heard at the moment `since`, which is None when it never was.
    """

    id: str = ""
    at: float = 0.0
    live: bool = False
    reason: str = ""
    since: float | None = None
    host: str = ""
    endpoint: str = ""
    daemon: DaemonState = DaemonState()
    watchers: Mapping[str, WatcherState] = field(default_factory=dict)
    sockets: Mapping[str, SocketState] = field(default_factory=dict)

    def as_json(self) -> JSON:
        """The form that browsers get."""
        return {
            **{name: value for name in PLAIN if (value := getattr(self, name)) is not None},
            "daemon": _known(self.daemon),
            "watchers": {name: _known(one) for name, one in self.watchers.items()},
            "sockets": {name: _known(one) for name, one in self.sockets.items()},
        }


PLAIN = ("id", "at", "live", "reason", "since", "host", "endpoint")


def _known(part: DaemonState | WatcherState | SocketState) -> JSON:
    found = ((one.name, getattr(part, one.name)) for one in fields(part))
    return {name: value for name, value in found if value is not None}


# -- from what circusd and circusd-stats tell ------------------------------------------------


def daemon_of(snapshot: Snapshot, version: str, explained: Sequence[Told]) -> DaemonState:
    """`version` as circusd tells it; `explained` is the answer to `why`."""
    stats = next((one["state"] for one in explained if one["name"] == STATS), "")
    own = next((one for one in snapshot.own if one.name == "circusd"), None)
    if own is None:
        return DaemonState(version=version, stats=stats)
    age = None if own.age is None else float(round(own.age))
    return DaemonState(own.pid, version, own.cpu, own.memory, _rss([own]), age, stats)


def watchers_of(
    snapshot: Snapshot, explained: Sequence[Told], now: float, before: Mapping[str, WatcherState]
) -> dict[str, WatcherState]:
    """`explained` is the answer to `why`, which `snapshot` was made from, at `now`."""
    return {
        told["name"]: _watcher(watcher, told, now, before.get(told["name"]))
        for watcher, told in zip(snapshot.watchers, explained, strict=True)
    }


def _watcher(watcher: Watcher, told: Told, now: float, before: WatcherState | None) -> WatcherState:
    slots = [slot for slot in told.get("slots", ()) if slot["state"] != "empty"]
    known = "slots" in told
    processes = watcher.processes
    return WatcherState(
        state=watcher.state,
        group=told.get("group") or "",
        ready=sum(slot["state"] == "ready" for slot in slots) if known else None,
        total=len(slots) if known else None,
        wanted=told.get("numprocesses"),
        restarts=sum(slot["restarts"] for slot in told["slots"]) if known else None,
        cpu=_rounded(watcher.cpu, 1),
        mem=_rounded(watcher.memory, 3),
        rss=_rss(processes),
        changed=_changed(told.get("slots", ()), now, before),
        progress=_progress(told, slots),
        trouble=_trouble(told, slots),
    )


def _changed(slots: Iterable[Told], now: float, before: WatcherState | None) -> float | None:
    """The same moment is told with the same number each time."""
    last = before.changed if before else None
    newest: float | None = max((now - slot["since"] for slot in slots), default=None)
    if newest is None or (last is not None and abs(newest - last) < JITTER):
        return last
    return round(newest, 1)


def _progress(told: Told, slots: Sequence[Told]) -> str:
    counts: dict[str, int] = {}
    for slot in slots:
        word = "frozen" if slot["what"] == "frozen" else BUSY.get(slot["state"])
        if word:
            counts[word] = counts.get(word, 0) + 1
    parts = [f"waits for {told['waits_for']}"] if told.get("waits_for") else []
    parts += [f"{count} {word}" for word, count in counts.items()]
    return ", ".join(parts)


def _trouble(told: Told, slots: Sequence[Told]) -> str:
    parts = [str(told[key]) for key in ("halted", "unlimited") if told.get(key)]
    for state, verbs in FALLEN.items():
        fallen = [slot for slot in slots if slot["state"] == state]
        if fallen:
            verb = verbs[len(fallen) > 1]
            last = f": {fallen[-1]['last']}" if fallen[-1]["last"] else ""
            parts.append(f"{len(fallen)} of {len(slots)} {verb}{last}")
    return "; ".join(parts)


def sockets_of(listed: Sequence[Told], snapshot: Snapshot) -> dict[str, SocketState]:
    """`listed` is the answer to `listsockets`; what is published is newer, and tells of hits."""
    published = {one.fd: one for one in snapshot.sockets}
    found = {}
    for one in listed:
        newer = published.get(one["fd"])
        queue = one.get("queue") if newer is None or newer.queue is None else newer.queue
        hits = None if newer is None else newer.hits
        found[one["name"]] = SocketState(
            one["fd"], address_of(one), queue, one.get("backlog"), hits
        )
    return found


def address_of(listed: Told) -> str:
    """Of a socket, as `listsockets` tells of it."""
    return str(listed["path"]) if "path" in listed else f"{listed['host']}:{listed['port']}"


# -- numbers ------------------------------------------------


def _rounded(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits)


def _rss(processes: Iterable[Process]) -> int | None:
    sizes = [size for one in processes if (size := size_of(one.resident)) is not None]
    return sum(sizes) if sizes else None


def size_of(text: str) -> int | None:
    """Bytes as statistics write them, 100B, 9.77K or 2.00G; None when it is something else."""
    place = "BKMGTPEZ".find(text[-1:])
    if not text or place < 0:
        return None
    try:
        return int(float(text[:-1]) * 1024**place)
    except ValueError:
        return None
