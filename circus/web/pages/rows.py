"""The watchers as the overview lists them: which, in what order, and how each one fares."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import falcon

    from circus.web.state import WatcherState


class Tone(StrEnum):
    """How a watcher fares, in the order in which somebody wants to hear of it."""

    TROUBLE = "trouble"
    BUSY = "changing"
    FROZEN = "frozen"
    FINE = "active"
    OFF = "stopped"


def tone(watcher: WatcherState) -> Tone:
    """From what the state says of one watcher. static/overview.js decides in the same way."""
    if watcher.trouble:
        return Tone.TROUBLE
    if watcher.state == "stopped":
        return Tone.OFF
    if watcher.state == "frozen":
        return Tone.FROZEN
    if watcher.state != "active" or watcher.progress:
        return Tone.BUSY
    return Tone.FINE


class Row(NamedTuple):
    """One watcher."""

    name: str
    tone: Tone
    told: WatcherState

    @property
    def runs(self) -> bool:
        """Whether a click on its state stops it."""
        return bool(self.told.state not in ("stopped", "stopping"))


_RANK = {one: rank for rank, one in enumerate(Tone)}
_KEYS: Mapping[str, Callable[[Row], Any]] = {
    "name": lambda row: row.name.lower(),
    "state": lambda row: _RANK[row.tone],
    "ready": lambda row: row.told.ready or 0,
    "restarts": lambda row: row.told.restarts or 0,
    "cpu": lambda row: row.told.cpu or 0.0,
    "mem": lambda row: row.told.rss or 0.0,
    "changed": lambda row: row.told.changed or 0.0,
}
COLUMNS = (
    ("name", "Watcher"),
    ("state", "State"),
    ("ready", "Ready"),
    ("restarts", "Restarts"),
    ("cpu", "CPU"),
    ("mem", "Memory"),
    ("changed", "Changed"),
)
_DOWN_FIRST = ("ready", "restarts", "cpu", "mem", "changed")


class Query(NamedTuple):
    """What the address says about the list."""

    sort: str = "name"
    down: bool = False
    filter: str = ""
    show: str = ""
    select: frozenset[str] = frozenset()

    @classmethod
    def of(cls, req: falcon.Request) -> Query:
        """What is not understood counts as not said."""
        sort = req.get_param("sort", default="name")
        key, show = sort.removeprefix("-"), req.get_param("show", default="")
        return cls(
            key if key in _KEYS else "name",
            sort.startswith("-") and key in _KEYS,
            req.get_param("filter", default=""),
            show if show in list(Tone) else "",
            frozenset(req.get_param_as_list("select") or ()),
        )

    def address(self, **other: Any) -> str:
        """Of the same list, but for some of it."""
        wanted = self._replace(**other)
        sort = f"-{wanted.sort}" if wanted.down else wanted.sort
        said = {
            "sort": "" if sort == "name" else sort,
            "filter": wanted.filter,
            "show": wanted.show,
        }
        text = urlencode([(key, value) for key, value in said.items() if value])
        return f"/?{text}" if text else "/"

    def sorted_by(self, key: str) -> str:
        """The address when the heading of a column is followed."""
        if key == self.sort:
            return self.address(down=not self.down)
        return self.address(sort=key, down=key in _DOWN_FIRST)


def rows_of(watchers: Mapping[str, WatcherState]) -> list[Row]:
    """All of them."""
    return [Row(name, tone(one), one) for name, one in watchers.items()]


def listed(rows: Iterable[Row], query: Query) -> list[Row]:
    """Those that are asked for, in that order."""
    text = query.filter.lower()
    found = [
        row
        for row in rows
        if (not query.show or row.tone == query.show)
        and (text in row.name.lower() or text in (row.told.group or "").lower())
    ]
    found.sort(key=_KEYS["name"])
    found.sort(key=_KEYS[query.sort], reverse=query.down)
    return found


def tally(rows: Iterable[Row]) -> dict[Tone, int]:
    """How many fare how."""
    counts = Counter(row.tone for row in rows)
    return {one: counts[one] for one in Tone}
