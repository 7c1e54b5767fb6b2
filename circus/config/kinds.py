"""One small object per type of value: how to read, write and name it."""

from __future__ import annotations

import shlex
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """`parse` takes text or a ready value and raises ValueError saying what it should be."""

    name: str
    parse: Callable[[object], Any]
    format: Callable[[Any], Any] = lambda value: value
    json: str = "string"


TRUE = frozenset({"yes", "true", "on", "1"})
FALSE = frozenset({"no", "false", "off", "0"})


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text")
    if "\0" in value:
        raise ValueError("a NUL byte cannot be part of it")
    return value


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in TRUE or (isinstance(value, int) and value == 1):
        return True
    if word in FALSE:
        return False
    raise ValueError(f"{value!r} is not a boolean (use true or false)")


def _integer(value: object) -> int:
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is not a whole number")
    try:
        return int(str(value).strip())
    except ValueError:
        raise ValueError(f"{value!r} is not a whole number") from None


def _count(value: object) -> int:
    number = _integer(value)
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number


def _number(value: object) -> float:
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is not a number")
    try:
        number = float(str(value).strip())
    except ValueError:
        raise ValueError(f"{value!r} is not a number") from None
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(f"{value!r} is not a finite number")
    return number


def _seconds(value: object) -> float:
    number = _number(value)
    if number < 0:
        raise ValueError(f"{value!r} is negative; seconds are not")
    return number


def _octal(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        number = int(str(value).strip(), 8)
    except ValueError:
        raise ValueError(f"{value!r} is not an octal number such as 022") from None
    if not 0 <= number <= 0o7777:
        raise ValueError(f"{value!r} is not an octal mode between 0 and 7777")
    return number


def _signal(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        number = _signal_number(str(value).strip().upper(), value)
    if not 1 <= number < signal.NSIG:
        raise ValueError(f"{value!r} is not a signal")
    return number


def _signal_number(word: str, value: object) -> int:
    if word.isdecimal():
        return int(word)
    name, plus, extra = word.partition("+")
    name = name if name.startswith("SIG") else f"SIG{name}"
    try:
        return signal.Signals[name] + (int(extra) if plus else 0)
    except (KeyError, ValueError):
        raise ValueError(
            f"{value!r} is not a signal (use a name such as TERM, or a number)"
        ) from None


def _identifier(value: object) -> str | int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    word = _text(value).strip()
    if not word:
        raise ValueError("it is empty")
    return int(word) if word.isdecimal() else word


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)):
        return tuple(_text(item) for item in value)
    return tuple(part.strip() for part in _text(value).split(",") if part.strip())


def _paths(value: object) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)):
        return tuple(_text(item) for item in value)
    return tuple(_text(value).split())


def _words(value: object) -> str | tuple[str, ...]:
    if isinstance(value, (list, tuple)):
        return tuple(str(item) for item in value)
    text = _text("" if value is None else value)
    try:
        shlex.split(text)
    except ValueError as error:
        raise ValueError(f"cannot be split into words: {str(error).lower()}") from None
    return text


def _command(value: object) -> str:
    text = _text(value)
    if not text.strip():
        raise ValueError("it is empty")
    return text


def _limit(value: object) -> tuple[int | None, int | None]:
    if value is None or isinstance(value, int):
        return (value, value)
    if isinstance(value, (list, tuple)) and len(value) == 2:
        return (_one_limit(value[0]), _one_limit(value[1]))
    soft, colon, hard = str(value).partition(":")
    low = _one_limit(soft)
    high = _one_limit(hard) if colon else low
    if high is not None and (low is None or low > high):
        raise ValueError(f"{value!r}: the soft limit is above the hard one")
    return low, high


def _one_limit(value: object) -> int | None:
    if value is None:
        return None
    word = str(value).strip().lower()
    if word in ("", "unlimited", "infinity", "-1"):
        return None
    if not word.isdecimal():
        raise ValueError(f"{value!r} is not a limit (a number, unlimited, or soft:hard)")
    return int(word)


def format_limit(value: tuple[int | None, int | None]) -> str | int | None:
    """As it is written: one number when both are the same."""
    soft, hard = ("unlimited" if one is None else one for one in value)
    return value[0] if value[0] == value[1] else f"{soft}:{hard}"


def _hook(value: object) -> tuple[object, bool]:
    if callable(value):
        return value, False
    if isinstance(value, (list, tuple)) and len(value) == 2:
        return value[0], _boolean(value[1])
    path, _, flag = _text(value).partition(",")
    return path.strip(), _boolean(flag) if flag.strip() else False


def _mapping(value: object) -> dict[str, str]:
    """A mapping, or `A=1,B=2`; a comma or = within a value is kept when no name follows it."""
    if isinstance(value, Mapping):
        return {_text(key): _text(item) for key, item in value.items()}
    found: dict[str, str] = {}
    last = ""
    for part in _text(value).split(","):
        name, equals, item = part.partition("=")
        if equals and name.strip().isidentifier():
            last = name.strip()
            found[last] = item
        elif last:
            found[last] += f",{part}"
        elif part.strip():
            raise ValueError(f"{part!r} is not NAME=value")
    return found


TEXT = Kind("text", _text)
COMMAND = Kind("command", _command)
WORDS = Kind("words", _words, lambda value: list(value) if isinstance(value, tuple) else value)
BOOLEAN = Kind("boolean", _boolean, json="boolean")
INTEGER = Kind("whole number", _integer, json="integer")
COUNT = Kind("count", _count, json="integer")
NUMBER = Kind("number", _number, json="number")
SECONDS = Kind("seconds", _seconds, json="number")
OCTAL = Kind("octal mode", _octal, lambda value: None if value is None else f"{value:03o}")
SIGNAL = Kind("signal", _signal, json="integer")
IDENTIFIER = Kind("name or id", _identifier)
NAMES = Kind("names, with commas", _names, list)
PATHS = Kind("paths, with blanks", _paths, list)
LIMIT = Kind("limit", _limit, format_limit)
HOOK = Kind("dotted name", _hook, lambda value: [str(value[0]), value[1]])
ENVIRONMENT = Kind("NAME=value, with commas", _mapping, dict, json="object")
