"""How answers are written for people."""

from __future__ import annotations

from typing import Any

_COLUMNS = ("cmdline", "username", "nice", "mem_info1", "mem_info2", "cpu", "mem", "ctime")
_UNITS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))
"""Seconds and name of each, and of the next smaller one."""


def printable(value: Any) -> Any:
    """The same with everything in its strings written out that a terminal would act on."""
    if isinstance(value, str):
        return value if value.isprintable() else "".join(map(_visible, value))
    if isinstance(value, dict):
        return {printable(key): printable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [printable(item) for item in value]
    return value


def _visible(char: str) -> str:
    if char.isprintable():
        return char
    return char.encode("unicode_escape", "surrogatepass").decode()


def infoline(info: Any) -> str:
    """What a process uses, in one line."""
    if not isinstance(info, dict):
        return str(info)
    return f"{info.get('pid')}  " + " ".join(str(info.get(key)) for key in _COLUMNS)


def process_lines(pid: object, info: Any) -> list[str]:
    """A worker and, indented, its children."""
    children = info.get("children", []) if isinstance(info, dict) else []
    return [f"{pid}: {infoline(info)}", *(f"   {infoline(child)}" for child in children)]


def options_lines(options: dict[str, Any]) -> str:
    """`key: value` lines."""
    return "\n".join(f"{key}: {option_text(key, value)}" for key, value in options.items())


def option_text(key: str, value: Any) -> str:
    """A value as it is written for people."""
    if value is None:
        return ""
    if key == "env" and isinstance(value, dict):
        return ",".join(f"{name}={value[name]}" for name in sorted(value))
    return str(value)


def duration(seconds: float) -> str:
    """`3.2 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    size, unit, smaller, smaller_unit = next(row for row in _UNITS if whole >= row[0])
    rest = whole % size // smaller
    return f"{whole // size} {unit}" + (f" {rest} {smaller_unit}" if rest else "")
