"""A watcher's stream options to the sink that they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from circus.exc import CircusError
from circus.resolve import resolve_name
from circus.stream.file import FileStream
from circus.stream.memory import QueueStream
from circus.stream.stdout import StdoutStream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SHIPPED: dict[str, Callable[..., Any]] = {
    "FileStream": FileStream,
    "QueueStream": QueueStream,
    "StdoutStream": StdoutStream,
}


class Sink(Protocol):
    """Takes `{"pid", "name", "data"}`, data being bytes; may have open(), close(), reopen()."""

    def __call__(self, data: dict[str, Any]) -> object:
        """Called from the pump's thread, with whole lines as far as the worker writes lines."""


def get_stream(conf: Mapping[str, object] | None) -> Sink | None:
    """The sink for `{"class": …}`, `{"filename": …}` or `{"stream": ready}`; None for nothing.

    Raises CircusError. A class that is not ours is imported, which runs its module.
    """
    if not conf:
        return None
    options = {key: value for key, value in conf.items() if key != "class"}
    ready = options.pop("stream", None)
    if ready is not None:
        return cast("Sink", ready)  # the library hands over whatever it likes
    name = str(conf.get("class") or ("FileStream" if "filename" in conf else ""))
    if not name:
        raise CircusError("a stream needs a class or a filename")
    factory = SHIPPED.get(name.removeprefix("circus.stream."))
    if factory is None:
        if "." not in name:
            known = ", ".join(sorted(SHIPPED))
            raise CircusError(f"there is no stream class {name!r}; shipped are {known}")
        factory = cast("Callable[..., Any]", resolve_name(name))  # a user's class, by contract
    try:
        return cast("Sink", factory(**options))
    except (TypeError, ValueError) as error:
        raise CircusError(f"cannot make stream {name!r}: {error}") from error
