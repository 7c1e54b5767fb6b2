"""What each key does: the table that help and documentation are written from."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from circus.top.rows import Order
from circus.top.state import Mode, Send, State, found, moved

if TYPE_CHECKING:
    from collections.abc import Callable

    Outcome = tuple[State, Send | None]

QUIT = ("q", "f10")
"""Keys that end it, when they are not text."""
ALL = 1_000_000


class Binding(NamedTuple):
    """Some keys and what they do; `acts` on circusd, so that it is not there when only looking."""

    keys: tuple[str, ...]
    shown: str
    help: str
    does: Callable[[State], State]
    acts: bool = False


def press(state: State, key: str) -> Outcome:
    """What becomes of it, and what circusd is to be told.

    A key is a character, or a word: up, down, pgup, pgdn, home, end, enter, esc, backspace, f1…
    """
    match state.mode:
        case Mode.BROWSE:
            return _browse(state, key), None
        case Mode.HELP:
            return _help(state, key), None
        case Mode.SORT:
            return _sort(state, key), None
        case Mode.CONFIRM:
            calm = replace(state, mode=Mode.BROWSE, pending=None)
            return calm, state.pending if key in ("y", "Y") else None
        case Mode.SIGNAL:
            return _signal(state, key)
        case Mode.FILTER:
            return _filter(state, key), None
        case Mode.SEARCH:
            return _search(state, key), None


def ends(state: State, key: str) -> bool:
    """Whether this key is there to end the program."""
    return key == "f10" or (key == "q" and state.mode is Mode.BROWSE)


def bindings(*, readonly: bool) -> list[Binding]:
    """Those that do something."""
    return [one for one in BINDINGS if not (readonly and one.acts)]


# -- modes ------------------------------------------------


def _browse(state: State, key: str) -> State:
    for binding in bindings(readonly=state.readonly):
        if key in binding.keys:
            return binding.does(replace(state, notice=""))
    return state


def _help(state: State, key: str) -> State:
    by = {"up": -1, "down": 1, "pgup": -state.page, "pgdn": state.page}.get(key)
    if by is None:
        return replace(state, mode=Mode.BROWSE, scrolled=0)
    last = sum(bool(one.shown) for one in bindings(readonly=state.readonly)) - 1
    return replace(state, scrolled=min(last, max(0, state.scrolled + by)))


def _sort(state: State, key: str) -> State:
    chosen = next((order for order in Order if order.value == key.lower()), None)
    calm = replace(state, mode=Mode.BROWSE)
    return calm if chosen is None else _by(chosen)(calm)


def _edited(state: State, key: str) -> State:
    if key == "backspace":
        return replace(state, typed=state.typed[:-1])
    return replace(state, typed=state.typed + key) if len(key) == 1 else state


def _filter(state: State, key: str) -> State:
    if key in ("enter", "esc"):
        text = state.typed if key == "enter" else ""
        return replace(state, filter=text, mode=Mode.BROWSE)
    edited = _edited(state, key)
    return replace(edited, filter=edited.typed)


def _search(state: State, key: str) -> State:
    if key in ("enter", "esc"):
        return replace(state, mode=Mode.BROWSE)
    if key in ("f3", "down"):
        return found(state, after=1)
    edited = _edited(state, key)
    return found(replace(edited, search=edited.typed), after=0)


def _signal(state: State, key: str) -> Outcome:
    if key == "esc":
        return replace(state, mode=Mode.BROWSE), None
    if key != "enter":
        return _edited(state, key), None
    name = (state.typed or "TERM").upper().removeprefix("SIG")
    calm = replace(state, mode=Mode.BROWSE)
    row = state.row
    if row is None or not row.watcher:
        return calm, None
    if not name.isdecimal() and f"SIG{name}" not in signal.Signals.__members__:
        return replace(calm, notice=f"there is no signal {name}"), None
    properties: dict[str, object] = {"name": row.watcher, "signum": name}
    if row.worker is not None:
        properties["pid"] = row.worker
    if row.pid != row.worker:
        properties["childpid"] = row.pid
    return calm, Send("signal", properties, f"signal {name} to {row.name}")


# -- what keys do ------------------------------------------------


def _mode(mode: Mode) -> Callable[[State], State]:
    return lambda state: replace(state, mode=mode, typed="")


def _by(order: Order) -> Callable[[State], State]:
    # whoever sorts wants to see the first of them, wherever the selected one goes
    return lambda state: replace(state, order=order, selected=None)


def _filtering(state: State) -> State:
    return replace(state, mode=Mode.FILTER, typed=state.filter)


def _fold(state: State) -> State:
    row = state.row
    if row is None or not row.below:
        return state
    return replace(state, closed=state.closed ^ {row.key}, selected=row.key)


def _signaling(state: State) -> State:
    row = state.row
    if row is None or not row.watcher:
        return replace(state, notice="select a watcher, a worker or a process first")
    return replace(state, mode=Mode.SIGNAL, typed="", selected=row.key)


def _asking(command: str) -> Callable[[State], State]:
    """Ask whether this is to be done to the watcher of the selected row."""

    def ask(state: State) -> State:
        row = state.row
        if row is None or not row.watcher:
            return replace(state, notice=f"select what to {command} first")
        send = Send(command, {"name": row.watcher}, f"{command} {row.watcher}")
        if command == "restart" and row.worker is not None:
            properties = {"name": row.watcher, "pid": row.worker}
            send = Send("kill", properties, f"replace the worker {row.worker} of {row.watcher}")
        return replace(state, mode=Mode.CONFIRM, pending=send, selected=row.key)

    return ask


BINDINGS: tuple[Binding, ...] = (
    Binding(("up",), "Up, Down", "select another row", lambda state: moved(state, -1)),
    Binding(("down",), "", "", lambda state: moved(state, 1)),
    Binding(("pgup",), "PgUp, PgDn", "a page up or down", lambda state: moved(state, -state.page)),
    Binding(("pgdn",), "", "", lambda state: moved(state, state.page)),
    Binding(("home",), "Home, End", "the first row, the last", lambda state: moved(state, -ALL)),
    Binding(("end",), "", "", lambda state: moved(state, ALL)),
    Binding(("f1", "?", "h"), "F1, ?, h", "help", _mode(Mode.HELP)),
    Binding(("f3", "/"), "F3, /", "search; F3 again: the next one", _mode(Mode.SEARCH)),
    Binding(("f4", "\\"), "F4, \\", "show only what has some text; Esc: everything", _filtering),
    Binding(("esc",), "", "", lambda state: replace(state, filter="")),
    Binding(("f5", "t"), "F5, t", "tree, or processes in one list",
            lambda state: replace(state, flat=not state.flat)),
    Binding(("f6", ">"), "F6, >", "choose what to sort by", _mode(Mode.SORT)),
    Binding(("P",), "P, M, T, N", "sort by CPU, memory, age, pid", _by(Order.CPU)),
    Binding(("M",), "", "", _by(Order.MEMORY)),
    Binding(("T",), "", "", _by(Order.AGE)),
    Binding(("N",), "", "", _by(Order.PID)),
    Binding(("I",), "I", "sort the other way round",
            lambda state: replace(state, reverse=not state.reverse, selected=None)),
    Binding(("+", "-", " "), "+, -, Space", "close or open what is below", _fold),
    Binding(("enter", "i"), "Enter, i", "details of the selected row",
            lambda state: replace(state, details=not state.details)),
    Binding(("Z",), "Z", "pause, or go on", lambda state: replace(state, paused=not state.paused)),
    Binding(("f9", "k"), "F9, k", "send a signal", _signaling, acts=True),
    Binding(("r",), "r", "restart the watcher, or replace the worker", _asking("restart"),
            acts=True),
    Binding(("s",), "s", "stop the watcher", _asking("stop"), acts=True),
    Binding(("a",), "a", "start the watcher", _asking("start"), acts=True),
    Binding(("f7", "["), "F7, F8, [, ]", "one worker less, one more", _asking("decr"), acts=True),
    Binding(("f8", "]"), "", "", _asking("incr"), acts=True),
    Binding(QUIT, "F10, q", "end", lambda state: state),
)  # fmt: skip


def table() -> str:
    """As it stands in the documentation."""
    rows = [f"| {_code(one.shown)} | {one.help} |" for one in BINDINGS if one.shown]
    return "\n".join(["| Key | |", "|---|---|", *rows])


def _code(shown: str) -> str:
    return ", ".join(f"`{key}`" for key in shown.split(", "))
