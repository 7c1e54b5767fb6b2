"""The JSON envelope, both directions; nothing else knows its keys.

A request is one JSON object: `command`, `properties`, `id`, and `msg_type` "cast" when no answer
is wanted. An answer has `status`, `time`, `id`, then what the command has to say, or `reason`,
`errno`, `code` and `tb` when it failed. Spellings that clients written for circus 0.19 use are
translated here, so that a command sees one form only.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from circus.exc import ERRNO, CircusError, InvalidJSON, MessageError

LIMIT_BYTES = 1024 * 1024
"""A request may be this long; nothing a person or a program has to say needs more."""

INTERNAL = "internal"
"""The `code` of an answer that tells of a mistake of the daemon's own."""

LIMIT_DEPTH = 32
"""Objects and lists may be nested this deep."""

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Message = dict[str, Any]


class Request(NamedTuple):
    """One message to the daemon. `waiting`: answer when it is done, not when it has begun."""

    command: str
    properties: Message
    id: object
    waiting: bool
    cast: bool


def topic_name(watcher: str) -> str:
    """What a watcher is called in the topics of events and statistics."""
    return watcher.lower().replace(" ", "_")


# -- what the daemon reads ------------------------------------------------


def decode(payload: bytes, wanted: str = "an object with a 'command'") -> Message:
    """The object that a payload holds, which is `wanted`. Raises InvalidJSON or MessageError."""
    if len(payload) > LIMIT_BYTES:
        raise MessageError(
            f"message invalid: it is {len(payload)} bytes long, the limit is {LIMIT_BYTES}"
        )
    try:
        value = _DECODER.decode(payload.decode())
    except UnicodeDecodeError as error:
        raise InvalidJSON(f"json invalid: not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise InvalidJSON("json invalid: nested too deep") from None
    except ValueError as error:
        raise InvalidJSON(f"json invalid: {error}") from None
    if not isinstance(value, dict):
        raise MessageError(f"message invalid: it is not {wanted}")
    # what is short of brackets cannot be deep, and half a character can only be an escape
    if b"\\u" in payload or payload.count(b"{") + payload.count(b"[") > LIMIT_DEPTH:
        _check(value, LIMIT_DEPTH)
    return value


def request(message: Message) -> Request:
    """What a decoded message asks for. Raises MessageError."""
    command = message.get("command")
    if command is None:
        raise MessageError("message invalid 'command' is missing")
    if not isinstance(command, str):
        raise MessageError("message invalid: 'command' isn't a string")
    properties = message.get("properties")
    if properties is None:
        properties = {}
    elif not isinstance(properties, dict):
        raise MessageError("message invalid: 'properties' isn't an object")
    else:
        properties = dict(properties)
    # circus 0.19 wants `waiting` among the properties, its documentation shows it beside them
    waiting = properties.pop("waiting", message.get("waiting"))
    if waiting is not None and not isinstance(waiting, bool | int):
        raise MessageError("'waiting' isn't a valid boolean")
    command = command.lower()
    _translate(command, properties)
    return Request(command, properties, message.get("id"), bool(waiting), is_cast(message))


def is_cast(message: Mapping[str, Any]) -> bool:
    """Whether the sender wants no answer."""
    return message.get("msg_type") == "cast"


def _translate(command: str, properties: Message) -> None:
    if "child_pid" in properties:  # as circus 0.19 documents it; it reads the other
        properties.setdefault("childpid", properties.pop("child_pid"))
    if command == "globaloptions" and "keys" in properties:  # the same again
        keys = properties.pop("keys")
        if isinstance(keys, list) and len(keys) == 1:
            keys = keys[0]
        if isinstance(keys, str):
            properties.setdefault("option", keys)


def _check(value: object, depth: int) -> None:
    """Refuse what could not be written back, logged or compared later on."""
    if isinstance(value, str):
        if not value.isascii():
            _check_text(value)
    elif isinstance(value, dict):
        for key in value:
            _check(key, depth)
        _check(list(value.values()), depth)
    elif isinstance(value, list):
        if not depth:
            raise MessageError(f"message invalid: nested deeper than {LIMIT_DEPTH} levels")
        for item in value:
            _check(item, depth - 1)


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise MessageError("message invalid: a string holds half a character") from None


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def _finite(text: str) -> float:
    number = float(text)
    if number - number != 0.0:
        raise ValueError(f"{text} is too big")
    return number


_DECODER = json.JSONDecoder(parse_constant=_constant, parse_float=_finite)
_ENCODER = json.JSONEncoder(allow_nan=False, default=str)


# -- what the daemon answers ------------------------------------------------


def success(fields: Message, request_id: object, now: float) -> bytes:
    """An answer that says how it went; `fields` may overwrite `status`. `now`: epoch seconds."""
    return encode({"status": "ok", "time": now, **fields, "id": request_id})


def failure(error: BaseException, request_id: object, now: float) -> bytes:
    """An answer that says why not."""
    reason, code = str(error), "os"
    if isinstance(error, CircusError):
        code, errno = error.code, error.errno
    elif isinstance(error, OSError):
        errno = ERRNO[code]
    else:
        reason, code = f"internal error: {type(error).__name__}: {error}", INTERNAL
        errno = ERRNO["conflict"]
    answer = {"status": "error", "reason": reason, "tb": None, "time": now, "errno": errno}
    return encode({**answer, "code": code, "id": request_id})


def encode(message: Message) -> bytes:
    """As JSON. Raises ValueError for numbers that JSON does not have."""
    return _ENCODER.encode(message).encode()


# -- the other side ------------------------------------------------


def message(command: str, properties: Message) -> Message:
    """A request, without an id yet."""
    return {"command": command, "properties": properties}


def cast(command: str, properties: Message) -> Message:
    """A request that wants no answer."""
    return {"command": command, "msg_type": "cast", "properties": properties}


def with_id(message: Message, request_id: str) -> bytes:
    """What goes over the wire, so that the answer can be told from others."""
    return encode({**message, "id": request_id})


def answer(payload: bytes, request_id: str) -> Message | None:
    """The answer to our request, or None when it is for another. Raises ValueError."""
    return answer_to(payload, [request_id])[1]


def answer_to(payload: bytes, waiting: Collection[str]) -> tuple[str, Message | None]:
    """Which of the requests that wait a payload answers, and the answer.

    None when it is for another. Raises ValueError.
    """
    value = json.loads(payload)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    request_id = value.get("id")
    if request_id in waiting:
        return str(request_id), value
    # a message that could not be read is answered without an id: it will be the first
    if request_id is None and value.get("status") == "error" and waiting:
        return next(iter(waiting)), value
    return "", None


def refusal(reason: str) -> Message:
    """What a daemon would have answered to a request that we need not send."""
    return {"status": "error", "reason": reason, "errno": ERRNO["not-found"], "tb": None}


def reason(answer: Message) -> str | None:
    """Why the daemon said no, or None when it did not."""
    if answer.get("status") != "error" or "reason" not in answer:
        return None
    return _QUOTED_REQUEST.sub("", str(answer["reason"]))


_QUOTED_REQUEST = re.compile(r"^command b'(?:[^'\\]|\\.)*': ")
"""circus 0.19 puts the whole request before many reasons."""


def busy(answer: Message) -> bool:
    """Whether circus 0.19 only says no because it does one thing at a time."""
    told = reason(answer)
    return told is not None and told.startswith(_BUSY)


_BUSY = ("arbiter is already running ", "arbiter is restarting")
