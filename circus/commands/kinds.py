"""One small object per type of argument: how it is checked in JSON and read from a command line.

The annotation of a command's field chooses the kind, by its text: see `KINDS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from circus.exc import ArgumentError, MessageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Name = str
"""Text that may not be empty."""
Count = int
"""How many; 0 or more."""
Pid = int
Serial = int
"""A number that goes up without end."""
Seconds = float
Words = tuple[str, ...]
Signum = int | str
"""A signal by number or by name."""
Options = dict[str, object]
Program = str
"""A command line; in circusctl all words that are left."""
Args = str | tuple[str, ...]
"""A command line as text, or as the list of its words."""

COUNT_MAX = 10_000


Schema = dict[str, Any]
"""What JSON Schema says of a value: never less than `check` takes, and little more."""

DIGITS = "^[0-9]{1,19}$"
TEXT: Schema = {"type": "string", "pattern": "^[^\\x00]*$"}
NAME: Schema = {"type": "string", "pattern": "^[^\\x00]*[^\\x00\\s][^\\x00]*$"}


def numbers(least: int, most: int) -> Schema:
    """Of whole numbers from `least` to `most`, or their digits."""
    return {"type": ["integer", "string"], "minimum": least, "maximum": most, "pattern": DIGITS}


class Kind(NamedTuple):
    """`check` takes a JSON value, `read` the word or words of a command line; both may refuse."""

    name: str
    check: Callable[[str, object], object]
    schema: Schema
    read: Callable[[str], object] = str
    many: bool = False
    rest: bool = False
    """On a command line, everything that follows belongs to it, options too."""


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise MessageError(f"{key!r} isn't a string")
    if "\0" in value:
        raise MessageError(f"{key!r} holds a NUL character")
    return value


def _name(key: str, value: object) -> str:
    if not _text(key, value).strip():
        raise MessageError(f"{key!r} is empty")
    return str(value)


def _flag(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise MessageError(f"{key!r} isn't a valid boolean")
    return value


def _integer(key: str, value: object) -> int:
    """A number, or its digits: circusctl 0.19 sends some numbers as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise MessageError(f"{key!r} isn't an integer")


def _count(key: str, value: object) -> int:
    number = _integer(key, value)
    if not 0 <= number <= COUNT_MAX:
        raise MessageError(f"{key!r} must be between 0 and {COUNT_MAX}")
    return number


def _serial(key: str, value: object) -> int:
    number = _integer(key, value)
    if not 0 <= number < 2**63:
        raise MessageError(f"{key!r} must not be negative")
    return number


def _pid(key: str, value: object) -> int:
    number = _integer(key, value)
    if not 0 < number < 2**31:
        raise MessageError(f"{key!r} isn't a process number")
    return number


def _seconds(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise MessageError(f"{key!r} isn't a number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise MessageError(f"{key!r} isn't a number") from None
    if not 0 <= number <= 1e9:
        raise MessageError(f"{key!r} must be between 0 and 1e9 seconds")
    return number


def _words(key: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise MessageError(f"{key!r} isn't a list of strings")
    if not value:
        raise MessageError(f"{key!r} is empty")
    return tuple(_name(key, word) for word in value)


def _args(key: str, value: object) -> str | tuple[str, ...]:
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return tuple(_text(key, word) for word in value)
    return _text(key, value)


def _options(key: str, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise MessageError(f"{key!r} isn't a valid object")
    return value


def _signum(key: str, value: object) -> int:
    """Number of a signal given as 15, "15", "TERM" or "SIGTERM"."""
    import signal

    try:
        number = _integer(key, value)
    except MessageError:
        name = str(value).upper()
        found = getattr(signal.Signals, name if name.startswith("SIG") else f"SIG{name}", None)
        number = int(found) if isinstance(found, signal.Signals) else 0
    if 0 < number < signal.NSIG:
        return number
    raise MessageError(f"signal invalid: {str(value)[:40]!r} in {key!r}")


def _read_integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ArgumentError(f"{text!r} isn't an integer") from None


def _read_seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ArgumentError(f"{text!r} isn't a number of seconds") from None


def pairs(words: Sequence[str]) -> dict[str, str]:
    """`key value key value ...` as a mapping. Raises ArgumentError."""
    if len(words) % 2:
        raise ArgumentError("List of key/values is invalid")
    return dict(zip(words[::2], words[1::2], strict=True))


SIGNALS: Schema = {"type": ["integer", "string"], "minimum": 1, "maximum": 64}
SECONDS: Schema = {"type": ["number", "string"], "minimum": 0, "maximum": 1e9}
WORDS: Schema = {**NAME, "type": ["array", "string"], "items": NAME, "minItems": 1}
ARGS: Schema = {**TEXT, "type": ["string", "array"], "items": TEXT}

KINDS: Mapping[str, Kind] = {
    "str": Kind("text", _text, TEXT),
    "Name": Kind("name", _name, NAME),
    "Program": Kind("command line", _name, NAME, rest=True),
    "bool": Kind("boolean", _flag, {"type": "boolean"}),
    "Count": Kind("number", _count, numbers(0, COUNT_MAX), _read_integer),
    "Pid": Kind("pid", _pid, numbers(1, 2**31 - 1), _read_integer),
    "Serial": Kind("number", _serial, numbers(0, 2**63 - 1), _read_integer),
    "Seconds": Kind("seconds", _seconds, SECONDS, _read_seconds),
    "Signum": Kind("signal", _signum, SIGNALS),
    "Words": Kind("list of text", _words, WORDS, many=True),
    "Options": Kind("mapping", _options, {"type": "object"}, many=True),
    "Args": Kind("text or list of text", _args, ARGS, many=True),
}
