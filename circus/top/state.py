"""What somebody looks at, and what each key does to it. Pure: nothing here draws or asks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from circus.picture.model import Snapshot
from circus.top.rows import Order, flat, matching, opened, ordered, tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.top.rows import Key, Row

REMEMBERED = 120
"""Samples of each row that a sparkline can show."""


class Mode(Enum):
    """What keys are for."""

    BROWSE = "browse"
    HELP = "help"
    FILTER = "filter"
    SEARCH = "search"
    SORT = "sort"
    SIGNAL = "signal"
    CONFIRM = "confirm"


class Send(NamedTuple):
    """A command for circusd, and what it is in words."""

    command: str
    properties: dict[str, Any]
    words: str


class History(NamedTuple):
    """The last samples, oldest first."""

    cpu: tuple[float, ...] = ()
    memory: tuple[float, ...] = ()

    def and_then(self, row: Row) -> History:
        """With one sample more."""
        cpu, memory = (*self.cpu, row.cpu or 0.0), (*self.memory, row.memory or 0.0)
        return History(cpu[-REMEMBERED:], memory[-REMEMBERED:])


@dataclass(frozen=True, slots=True)
class State:
    """Everything that decides what is drawn."""

    snapshot: Snapshot = field(default_factory=Snapshot)
    source: str = "Waiting for data"
    """Where the numbers come from when that has to be said, or why there are none."""
    notice: str = ""
    """What came of the last command."""
    selected: Key | None = None
    order: Order = Order.NAME
    reverse: bool = False
    filter: str = ""
    search: str = ""
    closed: frozenset[Key] = frozenset()
    flat: bool = False
    details: bool = False
    paused: bool = False
    readonly: bool = False
    mode: Mode = Mode.BROWSE
    typed: str = ""
    pending: Send | None = None
    page: int = 10
    """Rows that a page has."""
    scrolled: int = 0
    """Lines of help that are above what is shown."""
    stale: bool = False
    """Whether nothing has been heard since the rows were as they are."""
    history: Mapping[Key, History] = field(default_factory=dict)

    @property
    def rows(self) -> list[Row]:
        """What is shown, from top to bottom."""
        found = tree(self.snapshot)
        if self.flat:
            found = flat(found)
        found = ordered(matching(found, self.filter), self.order, reverse=self.reverse)
        return list(found if self.flat else opened(found, self.closed))

    @property
    def row(self) -> Row | None:
        """The one that is selected; the first when that is gone."""
        rows = self.rows
        return rows[self.index(rows)] if rows else None

    def index(self, rows: list[Row]) -> int:
        """The place of the selected row."""
        keys = [row.key for row in rows]
        return keys.index(self.selected) if self.selected in keys else 0


def arrived(state: State, snapshot: Snapshot, source: str = "") -> State:
    """New numbers came; while it is paused they change nothing."""
    if state.paused:
        return state
    everything = opened(tree(snapshot), frozenset())
    history = {row.key: state.history.get(row.key, History()).and_then(row) for row in everything}
    return replace(state, snapshot=snapshot, source=source, history=history, stale=False)


def silenced(state: State, source: str) -> State:
    """Nothing is heard any more, and why; what was heard stays."""
    return replace(state, source=source, stale=state.snapshot != Snapshot())


def moved(state: State, by: int) -> State:
    """Another row is selected, so many further down."""
    rows = state.rows
    if not rows:
        return state
    at = min(len(rows) - 1, max(0, state.index(rows) + by))
    return replace(state, selected=rows[at].key)


def found(state: State, *, after: int) -> State:
    """The next row that has what is searched for; 0: the selected one if it has it."""
    rows = state.rows
    here = state.index(rows) + after
    for row in (*rows[here:], *rows[:here]):
        if state.search and found_in(row, state.search):
            return replace(state, selected=row.key)
    return state


def found_in(row: Row, text: str) -> bool:
    """Whether a search for this text stops at a row."""
    return text.lower() in f"{row.name} {row.pid or ''} {row.command}".lower()
