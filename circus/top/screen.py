"""Draws what somebody looks at into lines of text. Pure: a terminal is told of elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from circus.commands.text import printable
from circus.ctl.terminal import cut, width
from circus.top.keys import bindings
from circus.top.rows import Order
from circus.top.state import History, Mode, State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from circus.top.rows import Row

    Line = list["Span"]

DETAILS = 7
"""Lines that the details of a row take, with the one above them."""
NARROWEST = 12
"""Columns that names have at least, before other columns go."""
NAMES, WIDEST, COMMANDS = 18, 40, 16
"""Columns of names, where there are so many; where there are more, commands get theirs first."""
BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.-:=+*#"
PROMPTS = {
    Mode.SORT: "Sort by n)ame c)pu m)emory a)ge p)id",
    Mode.HELP: "Any key goes back",
}


class Span(NamedTuple):
    """A piece of a line: `title`, `chosen`, `bad`, `good`, `busy` or nothing special."""

    text: str
    style: str = ""


class Size(NamedTuple):
    """A terminal; `plain` has nothing but ASCII."""

    columns: int
    lines: int
    plain: bool = False


class Column(NamedTuple):
    """`room` in columns with the blank before it, and what stands in it."""

    title: str
    room: int
    text: Callable[[Row], str]
    order: Order | None = None


COLUMNS = (  # without those that come last where it is narrow
    Column("PID", 8, lambda row: str(row.pid or ""), Order.PID),
    Column("CPU%", 7, lambda row: _share(row.cpu), Order.CPU),
    Column("MEM%", 7, lambda row: _share(row.memory), Order.MEMORY),
    Column("STATE", 9, lambda row: row.state),
    Column("AGE", 7, lambda row: age_text(row.age), Order.AGE),
    Column("RES", 8, lambda row: row.resident),
)


def render(state: State, size: Size) -> list[Line]:
    """Every line of the terminal, none wider than it is."""
    if size.lines < 4 or size.columns < 10:
        return [[Span(cut("too small", size.columns))]][: size.lines]
    foot = _foot(state)
    if state.mode is Mode.HELP:
        body = _help(state)
    else:
        room = size.lines - 3
        details = _details(state, size) if state.details and room > DETAILS + 2 else []
        body = [*_table(state, size, room - len(details)), *details]
    lines = [*_head(state, size), *body]
    lines = [*lines[: size.lines - 1], *([[]] * (size.lines - 1 - len(lines))), foot]
    return [_fitted(line, size) for line in lines]


def plain_lines(state: State, size: Size) -> list[str]:
    """The table alone, of all rows, for a file or a pipe."""
    columns, room = _columns(size.columns)
    head = _cells("NAME", [column.title for column in columns], columns, room)
    rows = [_row(state, row, columns, room) for row in state.rows]
    return ["".join(span.text for span in _fitted([Span(line)], size)).rstrip()
            for line in (head, *rows)]  # fmt: skip


def page_of(size: Size) -> int:
    """Rows that a page has."""
    return max(1, size.lines - 4)


def spark(samples: Sequence[float], room: int, top: float, *, plain: bool) -> str:
    """The last samples as bars; `top` is as high as the highest of them."""
    bars = ASCII_BARS if plain else BARS
    last = samples[-room:] if room > 0 else ()
    steps = (int(sample / top * (len(bars) - 1) + 0.5) if top > 0 else 0 for sample in last)
    return "".join(bars[min(len(bars) - 1, max(0, step))] for step in steps)


def age_text(age: float | None) -> str:
    """No more than 6 characters: 59s, 59m59s, 23h59m, 999d."""
    if age is None:
        return ""
    seconds = int(age)
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02}s"
    if seconds < 86400:
        return f"{seconds // 3600}h{seconds % 3600 // 60:02}m"
    return f"{seconds // 86400}d"


# -- parts ------------------------------------------------


def _head(state: State, size: Size) -> list[Line]:
    watchers = state.snapshot.watchers
    slots = [slot for watcher in watchers for slot in watcher.slots]
    running = sum(slot.process is not None for slot in slots)
    daemon = next((one for one in state.snapshot.own if one.name == "circusd"), None)
    parts = [f"{len(watchers)} watchers", f"{running} of {len(slots)} workers run"]
    if daemon is not None:
        parts.append(f"circusd {_share(daemon.cpu)}% {daemon.resident}")
    title = [Span("circus-top", "title"), Span("  " + ", ".join(parts))]
    if state.paused:
        title.append(Span("  PAUSED", "busy"))
    if state.filter:
        title.append(Span(f"  filter: {state.filter}", "busy"))
    return [title, [Span(state.source, "busy")]]


def _foot(state: State) -> Line:
    match state.mode:
        case Mode.CONFIRM if state.pending is not None:
            return [Span(f"{state.pending.words}? y or n", "busy")]
        case Mode.FILTER:
            return [Span(f"Filter: {state.typed}_", "busy")]
        case Mode.SEARCH:
            return [Span(f"Search: {state.typed}_", "busy")]
        case Mode.SIGNAL:
            name = state.row.name if state.row else ""
            return [Span(f"Signal for {name} (TERM): {state.typed}_", "busy")]
        case Mode.BROWSE if not state.notice:
            acts = "" if state.readonly else "  F9 Signal  r Restart"
            return [Span(f"F1 Help  F3 Search  F4 Filter  F6 Sort{acts}  i Details  q End")]
    return [Span(PROMPTS.get(state.mode, state.notice), "busy")]


def _table(state: State, size: Size, room: int) -> list[Line]:
    columns, name = _columns(size.columns)
    titles = [_title(column, state) for column in columns]
    mark = _title(Column("NAME", 0, lambda row: row.name, Order.NAME), state)
    lines: list[Line] = [[Span(_cells(mark, titles, columns, name), "title")]]
    rows = state.rows
    at = state.index(rows)
    first = max(0, min(at - (room - 1) // 2, len(rows) - (room - 1)))
    for number, row in enumerate(rows[first : first + room - 1], first):
        style = "chosen" if number == at else _style(row)
        text = _row(state, row, columns, name)
        lines.append([Span(text + " " * (size.columns - width(text)), style)])
    return [*lines, *([[]] * (room - len(lines)))]


def _title(column: Column, state: State) -> str:
    if column.order is not state.order:
        return column.title
    return f"{column.title}{'v' if state.reverse else '^'}"


def _columns(room: int) -> tuple[Sequence[Column], int]:
    """Those that fit, and what is left for the names; the command comes behind them."""
    columns = list(COLUMNS)
    while columns and room - sum(column.room for column in columns) < NARROWEST:
        columns.pop()
    left = room - sum(column.room for column in columns)
    return columns, min(left, max(NAMES, min(WIDEST, left - COMMANDS)))


def _row(state: State, row: Row, columns: Sequence[Column], room: int) -> str:
    mark = "+" if row.below and row.key in state.closed else " "
    name = printable("  " * row.depth + mark + row.name)
    command = "" if row.command == row.name else row.command
    cells = _cells(name, [printable(column.text(row)) for column in columns], columns, room)
    return f"{cells}  {printable(command)}"


def _cells(name: str, texts: Sequence[str], columns: Sequence[Column], room: int) -> str:
    short = cut(name, room)
    line = short + " " * (room - width(short))
    for text, column in zip(texts, columns, strict=True):
        fitting = cut(text, column.room - 1)
        line += " " * (column.room - width(fitting)) + fitting
    return line


def _details(state: State, size: Size) -> list[Line]:
    row = state.row
    if row is None:
        return []
    history = state.history.get(row.key, History())
    user = f", user {row.user}" if row.user else ""
    pid = f", pid {row.pid}" if row.pid else ""
    lines: list[Line] = [
        [Span("-" * size.columns)],
        [Span(f"{row.name}{pid}{user}  {row.command}", "title")],
        *([Span(line)] for line in row.story[:3]),
    ]
    lines += [[]] * (DETAILS - 2 - len(lines))
    room = size.columns - 20
    for title, samples, least in (("CPU", history.cpu, 1.0), ("MEM", history.memory, 0.1)):
        top = max(least, *samples[-room:]) if samples and room > 0 else least
        now = samples[-1] if samples else 0.0
        bars = spark(samples, room, top, plain=size.plain)
        lines.append([Span(f"{title} {now:6.1f}% "), Span(bars, "good")])
    return lines


def _help(state: State) -> list[Line]:
    shown = [one for one in bindings(readonly=state.readonly) if one.shown]
    return [[Span(f" {one.shown:<12}", "title"), Span(one.help)] for one in shown]


def _style(row: Row) -> str:
    if row.state in ("failed", "backoff"):
        return "bad"
    return "busy" if row.state in ("starting", "stopping", "spawning") else ""


def _share(number: float | None) -> str:
    return "" if number is None else f"{number:.1f}"


def _fitted(line: Line, size: Size) -> Line:
    """No wider than the terminal, and with nothing in it that this would act on or cannot show."""
    found: Line = []
    room = size.columns
    for span in line:
        text = printable(span.text)
        if size.plain:
            text = text.replace("…", "~").encode("ascii", "backslashreplace").decode()
        text = cut(text, room)
        if size.plain:
            text = text.replace("…", "~")
        room -= width(text)
        found.append(Span(text, span.style))
    return found
