"""Things to show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from circus.picture.model import Process, Slot, Snapshot, Socket, Watcher
from circus.top.keys import press
from circus.top.state import Send, State, arrived

if TYPE_CHECKING:
    from circus.top.rows import Row

WEB = Watcher(
    "Web",
    "active",
    (
        Slot(1, "ready", ("running since 5.0 s",),
             Process(11, "gunicorn", "www", 20.0, 1.0, "10.00M", 5.0,
                     (Process(12, "helper", "www", 1.0, 0.5, "5.00M", 4.0),))),
        Slot(2, "backoff", ("backing off since 1.0 s", "last: exited with code 1")),
    ),
)  # fmt: skip
API = Watcher("api", "active", (Slot(1, "ready", (), Process(9, "api", "me", 70.0, 3.0, "1G", 9)),))
SNAPSHOT = Snapshot(
    (WEB, API), (Process(1, "circusd", "root", 0.5, 0.1, "30.00M"),),
    (Socket(5, "http", "127.0.0.1:80", 7, 3, 128),),
)  # fmt: skip
STATE = arrived(State(), SNAPSHOT)


def names(state: State) -> list[str]:
    """The rows, from top to bottom."""
    return [row.name for row in state.rows]


def after(state: State, *keys: str) -> State:
    """What these keys make of it."""
    for key in keys:
        state, _ = press(state, key)
    return state


def sent(state: State, *keys: str) -> Send | None:
    """What circusd is told by the last of these keys."""
    *before, last = keys
    return press(after(state, *before), last)[1]


def on(name: str, state: State = STATE) -> State:
    """The same with the row of this name selected."""
    row: Row = next(row for row in state.rows if row.name == name)
    return replace(state, selected=row.key)
