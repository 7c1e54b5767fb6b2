"""One small object per type of value: how to read, write and name it."""

from __future__ import annotations

import re
import shlex
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from circus.config import amounts
from circus.endpoints import ssh_destination
from circus.suggest import suggestion


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """`parse` takes text or a ready value and raises ValueError saying what it should be.

    `format` gives JSON that `parse` reads back to the same value.
    """

    name: str
    """Says its unit."""
    doc: str
    parse: Callable[[object], Any]
    format: Callable[[Any], Any] = lambda value: value
    json: Mapping[str, object] = field(default_factory=lambda: {"type": "string"})
    """Of what `format` gives, as JSON schema."""


TRUE = frozenset({"yes", "true", "on", "1"})
FALSE = frozenset({"no", "false", "off", "0"})
WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
DOTTED = re.compile(r"[\w\-]+([.:][\w\-]+)*")
OCTAL_DIGITS = re.compile(r"(0o)?[0-7]{1,4}")
LOG_LEVELS = ("critical", "error", "warning", "info", "debug")
FAMILIES = ("AF_INET", "AF_INET6", "AF_UNIX")
SOCKET_TYPES = ("SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "SOCK_RDM", "SOCK_SEQPACKET")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text")
    if "\0" in value:
        raise ValueError("a NUL byte cannot be part of it")
    return value


def _present(value: object) -> str:
    text = _text(value).strip()
    if not text:
        raise ValueError("it is empty")
    return text


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    raise ValueError(f"{value!r} is not a boolean (use true or false)")


def _integer(value: object) -> int:
    word = "" if isinstance(value, bool) else str(value).strip()
    if not WHOLE.fullmatch(word):
        raise ValueError(f"{value!r} is not a whole number")
    return int(word)


def _between(low: int, high: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        number = _integer(value)
        if not low <= number <= high:
            raise ValueError(f"{number} is not between {low} and {high}")
        return number

    return parse


def _count(value: object) -> int:
    number = _integer(value)
    if number < 0:
        raise ValueError(f"{number} is negative")
    return number


def _retries(value: object) -> int:
    number = _integer(value)
    if number < -1:
        raise ValueError(f"{number} is below -1, which stands for no end")
    return number


def _number(value: object) -> float:
    word = "" if isinstance(value, bool) else str(value).strip()
    if not DECIMAL.fullmatch(word):
        raise ValueError(f"{value!r} is not a number")
    number = float(word)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{value!r} is not a finite number")
    return number


def _at_least(least: float, why: str) -> Callable[[object], float]:
    def parse(value: object) -> float:
        number = _number(value)
        if number < least:
            raise ValueError(f"{value!r} is {why}")
        return number

    return parse


def _octal(most: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            number = value
        elif OCTAL_DIGITS.fullmatch(str(value).strip()):
            number = int(str(value).strip(), 8)
        else:
            raise ValueError(f"{value!r} is not an octal number such as 022")
        if not 0 <= number <= most:
            raise ValueError(f"{value!r} is not an octal number between 0 and {most:o}")
        return number

    return parse


def _signal(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        number = _signal_number(str(value).strip().upper(), value)
    if not 1 <= number < signal.NSIG:
        raise ValueError(f"{value!r} is not a signal")
    return number


def _signal_number(word: str, value: object) -> int:
    if WHOLE.fullmatch(word):
        return int(word)
    name, plus, extra = word.partition("+")
    name = name if name.startswith("SIG") else f"SIG{name}"
    if name in signal.Signals.__members__ and (WHOLE.fullmatch(extra) or not plus):
        return signal.Signals[name] + int(extra or "0")
    known = [one.removeprefix("SIG") for one in signal.Signals.__members__]
    near = suggestion(name.removeprefix("SIG"), known)
    raise ValueError(f"{value!r} is not a signal (use a name such as TERM, or a number){near}")


def signal_name(number: int) -> str:
    """As people say it; the nameless ones by their number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _identifier(value: object) -> str | int:
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is not a name or a number")
    word = _present(str(value) if isinstance(value, int) else value)
    if not WHOLE.fullmatch(word):
        return word
    if not 0 <= int(word) < 2**32 - 1:  # the last one means "leave it" to the kernel
        raise ValueError(f"{word} is not a number that a user or group can have")
    return int(word)


def _protocol(value: object) -> str | int:
    word = _present(str(value) if isinstance(value, int) else value)
    return _between(0, 65535)(word) if WHOLE.fullmatch(word) else word


def _choice(*words: str) -> Callable[[object], str]:
    known = {word.lower(): word for word in words}

    def parse(value: object) -> str:
        word = known.get(str(value).strip().lower())
        if word is None:
            near = suggestion(str(value).strip().upper(), words) or suggestion(str(value), words)
            raise ValueError(f"{value!r} is not one of {', '.join(words)}{near}")
        return word

    return parse


def _endpoint(*schemes: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        text = _present(value)
        scheme, _, rest = text.partition("://")
        address, colon, port = rest.rpartition(":")
        sound = rest if scheme == "ipc" else address and colon and (port.isdecimal() or port == "*")
        if scheme not in schemes or not sound:
            samples = {"tcp": "tcp://127.0.0.1:5555", "ipc": "ipc:///run/circus/control"}
            likely = " or ".join(samples.get(one, f"{one}://address:port") for one in schemes)
            raise ValueError(f"{value!r} is not an endpoint such as {likely}")
        return text

    return parse


def _ssh_server(value: object) -> str:
    text = _present(value)
    ssh_destination(text)
    return text


def _codes(value: object) -> tuple[int, ...]:
    found = value if isinstance(value, (list, tuple)) else _text(value).split(",")
    one = _between(0, 255)
    return tuple(one(item) for item in found if str(item).strip())


def _listed(separator: re.Pattern[str]) -> Callable[[object], tuple[str, ...]]:
    def parse(value: object) -> tuple[str, ...]:
        if isinstance(value, (list, tuple)):
            return tuple(_text(item) for item in value)
        parts = separator.split(_text(value))
        return tuple(part.strip() for part in parts if part.strip())

    return parse


def _words(value: object) -> str | tuple[str, ...]:
    if isinstance(value, (list, tuple)):
        return tuple(_text(item if isinstance(item, str) else str(item)) for item in value)
    return _text("" if value is None else value)


def _command(value: object) -> str:
    if isinstance(value, (list, tuple)):
        value = shlex.join(_text(item) for item in value)
    _present(value)
    return _text(value)


def _limit(value: object) -> tuple[int | None, int | None]:
    if isinstance(value, (list, tuple)) and len(value) == 2:
        low, high = (_one_limit(item) for item in value)
    else:
        soft, colon, hard = ("" if value is None else str(value)).partition(":")
        low = _one_limit(soft)
        high = _one_limit(hard) if colon else low
    if high is not None and (low is None or low > high):
        raise ValueError(f"{value!r}: the soft limit is above the hard one")
    return low, high


def _one_limit(value: object) -> int | None:
    word = "" if value is None else str(value).strip().lower()
    if word in ("", "unlimited", "infinity", "-1"):
        return None
    if not word.isascii() or not word.isdecimal() or len(word) > 20 or int(word) >= 2**64:
        raise ValueError(f"{value!r} is not a limit (a number, unlimited, or soft:hard)")
    return int(word)


def format_limit(value: tuple[int | None, int | None]) -> str | int | None:
    """As it is written: one number when both are the same."""
    soft, hard = ("unlimited" if one is None else one for one in value)
    return value[0] if value[0] == value[1] else f"{soft}:{hard}"


def _tasks(value: object) -> int:
    number = _integer(value)
    if number < 1:
        raise ValueError(f"{number} is below 1: no worker could run")
    return number


def _format_tasks(value: int | None) -> int | str:
    return amounts.INFINITY if value is None else value


def _dotted(value: object) -> str:
    text = _present(value)
    if not DOTTED.fullmatch(text):
        raise ValueError(f"{text!r} is not a name such as package.module.name")
    return text


def _hook(value: object) -> tuple[Any, bool]:
    if callable(value):
        return value, False
    if isinstance(value, (list, tuple)) and len(value) == 2:
        function = value[0] if callable(value[0]) else _dotted(value[0])
        return function, _boolean(value[1])
    path, _, flag = _text(value).partition(",")
    return _dotted(path), _boolean(flag) if flag.strip() else False


def _mapping(value: object) -> dict[str, str]:
    """A mapping, or `A=1,B=2`; a comma or = within a value is kept when no name follows it."""
    if isinstance(value, Mapping):
        return {_variable(key): _text(item) for key, item in value.items()}
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


def _variable(value: object) -> str:
    name = _text(value)
    if not name or "=" in name:
        raise ValueError(f"{name!r} cannot be the name of a variable")
    return name


def _anything(value: object) -> object:
    return _text(value) if isinstance(value, str) else value


def _shown(value: object) -> object:
    plain = value is None or isinstance(value, (str, int, float, list, dict))
    return value if plain else repr(value)


INTEGER_SCHEMA = {"type": "integer"}
NUMBER_SCHEMA = {"type": "number"}
LIST_SCHEMA = {"type": "array", "items": {"type": "string"}}
WORDS_SCHEMA = {"anyOf": [{"type": "string"}, LIST_SCHEMA]}
LIMIT_SCHEMA = {"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]}
IDENTIFIER_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
PAIR_SCHEMA = {
    "type": "array",
    "prefixItems": [{"type": "string"}, {"type": "boolean"}],
    "minItems": 2,
    "maxItems": 2,
}
OCTAL_SCHEMA = {"type": "string", "pattern": "^[0-7]{1,4}$"}
MAPPING_SCHEMA = {"type": "object", "additionalProperties": {"type": "string"}}


def _format_octal(value: int) -> str:
    return f"{value:03o}"


def _format_words(value: str | tuple[str, ...]) -> str | list[str]:
    return value if isinstance(value, str) else list(value)


def _format_hook(value: tuple[Any, bool]) -> list[Any]:
    return [value[0] if isinstance(value[0], str) else repr(value[0]), value[1]]


def choice(name: str, *words: str) -> Kind:
    """One of these words, in upper or lower case."""
    doc = f"One of {', '.join(f'`{word}`' for word in words)}, in upper or lower case."
    return Kind(name, doc, _choice(*words), json={"enum": list(words)})


TEXT = Kind("text", "Any text, as it stands; quotes are part of it.", _text)
COMMAND = Kind("command", "A program and its arguments, in words as a POSIX shell reads them; "
    "not empty.", _command)  # fmt: skip
WORDS = Kind("words", "Text that is split into words as a POSIX shell does, or in JSON a list "
    "of words.", _words, _format_words, WORDS_SCHEMA)  # fmt: skip
BOOLEAN = Kind("boolean", "`true`, `yes`, `on`, `1` or `false`, `no`, `off`, `0`, in upper or "
    "lower case.", _boolean, json={"type": "boolean"})  # fmt: skip
INTEGER = Kind("whole number", "A whole number.", _integer, json=INTEGER_SCHEMA)
COUNT = Kind("count", "A whole number, not negative.", _count,
    json={"type": "integer", "minimum": 0})  # fmt: skip
RETRIES = Kind("count or -1", "A whole number, not negative; -1 stands for no end.", _retries,
    json={"type": "integer", "minimum": -1})  # fmt: skip
PORT = Kind("port", "A number from 0 to 65535.", _between(0, 65535),
    json={"type": "integer", "minimum": 0, "maximum": 65535})  # fmt: skip
NICE = Kind("niceness", "A number from -20 to 19; bigger ones get less of the processor.",
    _between(-20, 19), json={"type": "integer", "minimum": -20, "maximum": 19})  # fmt: skip
NUMBER = Kind("number", "A number, with a point if need be.", _number, json=NUMBER_SCHEMA)
SECONDS = Kind("seconds", "A number of seconds, not negative; fractions count.",
    _at_least(0, "negative; seconds are not"), json={"type": "number", "minimum": 0})  # fmt: skip
FACTOR = Kind("factor", "A number, 1 or more.", _at_least(1, "below 1"),
    json={"type": "number", "minimum": 1})  # fmt: skip
SHARE = Kind("share", "A number, 0 or more; 0.1 is a tenth.", _at_least(0, "negative"),
    json={"type": "number", "minimum": 0})  # fmt: skip
UMASK = Kind("octal mask", "An octal number up to 777, such as `022`.", _octal(0o777),
    _format_octal, OCTAL_SCHEMA)  # fmt: skip
OCTAL = Kind("octal mode", "An octal number up to 7777, such as `660`.", _octal(0o7777),
    _format_octal, OCTAL_SCHEMA)  # fmt: skip
SIGNAL = Kind("signal", "A number or a name, with or without `SIG`: `15`, `TERM`, `sigint`, "
    "`SIGRTMIN+1`.", _signal, int, {"type": "integer", "minimum": 1})  # fmt: skip
IDENTIFIER = Kind("name or id", "A name of the user or group database, or a number.", _identifier,
    json=IDENTIFIER_SCHEMA)  # fmt: skip
PROTOCOL = Kind("protocol", "A name of the protocol database, such as `udplite`, or a number.",
    _protocol, json=IDENTIFIER_SCHEMA)  # fmt: skip
NAMES = Kind("names, with commas", "Names with commas between them, or in JSON a list.",
    _listed(re.compile(r"[,\n]")), list, LIST_SCHEMA)  # fmt: skip
PATHS = Kind("paths, with blanks", "Paths with blanks between them, or in JSON a list.",
    _listed(re.compile(r"\s+")), list, LIST_SCHEMA)  # fmt: skip
LIMIT = Kind("limit", "A number, `unlimited` or nothing for no limit, or `soft:hard`.", _limit,
    format_limit, LIMIT_SCHEMA)  # fmt: skip
SIZE_IN_BYTES = Kind("bytes", "A number of bytes, with `K`, `M`, `G` or `T` of 1024, 1024² and so "
    "on; `infinity` for no limit.", amounts.or_infinity(amounts.size),
    amounts.format_size)  # fmt: skip
PROCESSOR = Kind("percentage", "A part of one processor, such as `50%`, or more than one, such as "
    "`200%`; `infinity` for no limit.", amounts.or_infinity(amounts.percentage),
    amounts.format_percentage)  # fmt: skip
TASKS = Kind("count or infinity", "A whole number above 0; `infinity` for no limit.",
    amounts.or_infinity(_tasks), _format_tasks, IDENTIFIER_SCHEMA)  # fmt: skip
WEIGHT = Kind("weight", "A number from 1 to 10000; one that has twice as much gets twice as much.",
    _between(1, 10000), json={"type": "integer", "minimum": 1, "maximum": 10000})  # fmt: skip
CODES = Kind("exit codes, with commas", "Numbers from 0 to 255 with commas between them, or in "
    "JSON a list.", _codes, list, {"type": "array", "items": {"type": "integer", "minimum": 0,
    "maximum": 255}})  # fmt: skip
DOTTED_NAME = Kind("dotted name", "`package.module.Class` or `package.module:Class`.", _dotted)
HOOK = Kind("hook", "`package.module.function`; `,true` behind it lets failures pass.",
    _hook, _format_hook, PAIR_SCHEMA)  # fmt: skip
ENVIRONMENT = Kind("NAME=value, with commas", "`A=1,B=2`, or in JSON an object; a comma belongs "
    "to the value unless `NAME=` follows it.", _mapping, dict, MAPPING_SCHEMA)  # fmt: skip
ANYTHING = Kind("anything", "Whatever the class that it is for takes.", _anything, _shown, {})
ENDPOINT = Kind("endpoint", "`ipc:///path` or `tcp://address:port`.", _endpoint("ipc", "tcp"))
SSH_SERVER = Kind("ssh server", "`host`, `user@host` or `user@host:port`.", _ssh_server)
MULTICAST = Kind("multicast endpoint", "`udp://address:port`.", _endpoint("udp"))
LEVEL = choice("log level", *LOG_LEVELS)
FAMILY = choice("address family", *FAMILIES)
SOCKET_TYPE = choice("socket type", *SOCKET_TYPES)
BACKEND = choice("stream backend", "thread", "gevent")
