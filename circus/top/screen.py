"""Draws what somebody looks at into lines of text. Pure: a terminal is told of elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from circus.commands.text import printable
from circus.ctl.terminal import cut, width
from circus.top.keys import bindings
from circus.top.rows import Order, descends
from circus.top.state import History, Mode, State, found_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from circus.top.rows import Row

    Line = list["Span"]

DETAILS = 7
"""Lines that the details of a row take, with the one above them."""
HEAD = 2
"""Lines above the table."""
NARROWEST = 12
"""Columns that names have at least, before other columns go."""
NAMES, COMMANDS = 18, 30
"""Columns of names, where there are so many; where there are more, commands get theirs first."""
SHORTEST = 4
"""Columns that a command takes at least, with the blanks before it: else there is none."""
BARS = "▁▂▃▄▅▆▇█"
ASCII_BARS = "_.-:=+*#"
SORTING = "Sort by n)ame c)pu m)emory a)ge p)id"
SIGNALS = "TERM, HUP, INT, QUIT, KILL, USR1, USR2, STOP, CONT …"
BAR = (
    *("F1 Help", "F3 Search", "F4 Filter", "F6 Sort", "F9 Signal", "r Restart", "i Details"),
    "q End",
)
ACTING = ("F9 Signal", "r Restart")
"""Those of them that are not there when only looking."""


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


class Layout(NamedTuple):
    """What stands in a row, and how many places the name and the command have."""

    columns: Sequence[Column]
    name: int
    command: int


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
    if state.mode is Mode.HELP:
        body = _help(state)[state.scrolled :]
    else:
        details = _details(state, size) if _has_details(state, size) else []
        body = [*_table(state, size, page_of(state, size) + 1), *details]
    lines = [*_head(state), *body]
    lines = [*lines[: size.lines - 1], *([[]] * (size.lines - 1 - len(lines))), _foot(state, size)]
    return [_fitted(line, size) for line in lines]


def plain_lines(state: State, size: Size) -> list[str]:
    """The table alone, of all rows, for a file or a pipe."""
    layout = _layout(state, size.columns)
    head = _cells("NAME", [column.title for column in layout.columns], layout)
    rows = [_row(state, row, layout) for row in state.rows]
    return ["".join(span.text for span in _fitted([Span(line)], size)).rstrip()
            for line in (head, *rows)]  # fmt: skip


def page_of(state: State, size: Size) -> int:
    """Rows that a page has."""
    return max(1, size.lines - HEAD - 2 - (DETAILS if _has_details(state, size) else 0))


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


def _has_details(state: State, size: Size) -> bool:
    return state.details and state.mode is not Mode.HELP and size.lines > HEAD + DETAILS + 3


def _head(state: State) -> list[Line]:
    watchers = state.snapshot.watchers
    slots = [slot for watcher in watchers for slot in watcher.slots]
    running = sum(slot.process is not None for slot in slots)
    daemon = next((one for one in state.snapshot.own if one.name == "circusd"), None)
    parts = [f"{len(watchers)} watchers", f"{running} of {len(slots)} workers run"]
    if daemon is not None:
        parts.append(f"circusd {_share(daemon.cpu)}% {daemon.resident}")
    title = [Span("circus-top", "title"), Span("  " + ", ".join(parts))]
    if state.stale:
        title.append(Span("  OUT OF DATE", "bad"))
    if state.paused:
        title.append(Span("  PAUSED", "busy"))
    if state.filter:
        title.append(Span(f"  filter: {state.filter}", "busy"))
    return [title, [Span(state.source, "busy")]]


def _foot(state: State, size: Size) -> Line:
    if state.mode is Mode.BROWSE and not state.notice:
        return [Span(key_bar(size.columns, readonly=state.readonly))]
    return [Span(_prompt(state, size), "busy")]


def _prompt(state: State, size: Size) -> str:
    match state.mode:
        case Mode.BROWSE | Mode.CONFIRM:
            return state.notice if state.pending is None else f"{state.pending.words}? y or n"
        case Mode.FILTER:
            return f"Filter: {state.typed}_"
        case Mode.SEARCH:
            absent = state.typed and not any(found_in(row, state.typed) for row in state.rows)
            return f"Search: {state.typed}_{'  nothing has this' if absent else ''}"
        case Mode.SIGNAL:
            name = state.row.name if state.row else ""
            return f"Signal for {name} ({SIGNALS}): {state.typed}_"
        case Mode.SORT:
            return SORTING
        case Mode.HELP:
            whole = len(_help(state)) <= size.lines - HEAD - 1
            return "Any key goes back" if whole else "Up, Down: more; any other key goes back"


def key_bar(columns: int, *, readonly: bool) -> str:
    """The keys that one begins with, as many as fit; the end is always told."""
    shown = [one for one in BAR if not (readonly and one in ACTING)]
    while len(shown) > 2 and len("  ".join(shown)) > columns:
        shown.pop(-2)
    return "  ".join(shown)


def _table(state: State, size: Size, room: int) -> list[Line]:
    layout = _layout(state, size.columns)
    titles = [_title(column, state) for column in layout.columns]
    mark = _title(Column("NAME", 0, lambda row: row.name, Order.NAME), state)
    lines: list[Line] = [[Span(_cells(mark, titles, layout), "title")]]
    rows = state.rows
    at = state.index(rows)
    first = max(0, min(at - (room - 1) // 2, len(rows) - (room - 1)))
    for number, row in enumerate(rows[first : first + room - 1], first):
        style = "chosen" if number == at else _style(row)
        text = _row(state, row, layout)
        lines.append([Span(text + " " * (size.columns - width(text)), style)])
    return [*lines, *([[]] * (room - len(lines)))]


def _title(column: Column, state: State) -> str:
    if column.order is not state.order:
        return column.title
    return f"{column.title}{'v' if descends(state.order, reverse=state.reverse) else '^'}"


def _layout(state: State, room: int) -> Layout:
    """The columns that fit; names get what they need, and what is left then is for commands."""
    columns = list(COLUMNS)
    while columns and room - sum(column.room for column in columns) < NARROWEST:
        columns.pop()
    left = room - sum(column.room for column in columns)
    longest = max((width(_name(state, row)) for row in state.rows), default=0)
    names = min(left, max(NAMES, min(longest, left - COMMANDS)))
    return Layout(columns, names, left - names)


def _name(state: State, row: Row) -> str:
    mark = "+" if row.below and row.key in state.closed else " "
    return str(printable("  " * row.depth + mark + row.name))


def _row(state: State, row: Row, layout: Layout) -> str:
    texts = [printable(column.text(row)) for column in layout.columns]
    cells = _cells(_name(state, row), texts, layout)
    if row.command == row.name or layout.command < SHORTEST:
        return cells
    return f"{cells}  {cut(printable(row.command), layout.command - 2)}"


def _cells(name: str, texts: Sequence[str], layout: Layout) -> str:
    short = cut(name, layout.name)
    line = short + " " * (layout.name - width(short))
    for text, column in zip(texts, layout.columns, strict=True):
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
    return [[Span(f" {one.shown:<13}", "title"), Span(one.help)] for one in shown]


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
