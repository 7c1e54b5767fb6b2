"""Numbers and moments as pages show them. static/format.js writes them in the same way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from circus.commands.text import printable
from circus.web.names import to_path, watcher_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

UNKNOWN = "–"  # noqa: RUF001 a dash, where a number would stand
_LARGE = ((3600, "h", 60, "min"), (86400, "d", 3600, "h"))


def size(octets: float | None) -> str:
    """`812 kB`, `33.0 MB`, `1.2 GB`."""
    if octets is None:
        return UNKNOWN
    value = octets / 1000
    for unit in ("kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "kB" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def known(value: object) -> object:
    """A number, or a dash for one that nobody knows."""
    return UNKNOWN if value is None else value


def percent(value: float | None) -> str:
    """`0.3 %`."""
    return UNKNOWN if value is None else f"{value:.1f} %"


def span(seconds: float | None) -> str:
    """`12 s`, `4 min`, `2 h 5 min`, `3 d 4 h`."""
    if seconds is None:
        return UNKNOWN
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    unit, name, part, part_name = _LARGE[whole >= 86400]
    rest = whole % unit // part
    return f"{whole // unit} {name}" + (f" {rest} {part_name}" if rest else "")


def moment(at: float | None) -> str:
    """For the `datetime` of a time element."""
    return "" if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def clock(at: float | None) -> str:
    """The time of day where we are, with the date unless that is today."""
    if at is None:
        return UNKNOWN
    then, now = datetime.fromtimestamp(at).astimezone(), datetime.now().astimezone()
    return then.strftime("%H:%M:%S" if then.date() == now.date() else "%Y-%m-%d %H:%M:%S")


def count(number: int, one: str, many: str = "") -> str:
    """`1 worker`, `2 workers`."""
    return f"{number} {one}" if number == 1 else f"{number} {many or one + 's'}"


def lines(text: str) -> str:
    """What may be several sentences, each on its line."""
    return "\n".join(map(printable, text.splitlines()))


def visible(text: str) -> str:
    """A line, in which tabs are harmless."""
    return "\t".join(map(printable, text.split("\t")))


FILTERS: Mapping[str, Callable[..., Any]] = {
    "size": size,
    "known": known,
    "percent": percent,
    "span": span,
    "moment": moment,
    "clock": clock,
    "count": count,
    "lines": lines,
    "visible": visible,
    "part": to_path,
    "printable": printable,
}
GLOBALS: Mapping[str, Any] = {"watcher_path": watcher_path}
