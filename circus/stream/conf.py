"""A watcher's stream options to the sink that they describe."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from circus.config.code import folders
from circus.config.schema import Problem
from circus.exc import CircusError, NoStream
from circus.resolve import importing_from, resolve_anew, resolve_name
from circus.stream.file import FileStream, WatchedFileStream
from circus.stream.journal import JournalStream
from circus.stream.memory import QueueStream
from circus.stream.stdout import FancyStdoutStream, StdoutStream
from circus.stream.timed import TimedRotatingFileStream

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping

    from circus.config.model import WatcherConfig
    from circus.stream.sink import Sink

SHIPPED: dict[str, type[Sink]] = {
    "FancyStdoutStream": FancyStdoutStream,
    "FileStream": FileStream,
    "JournalStream": JournalStream,
    "QueueStream": QueueStream,
    "StdoutStream": StdoutStream,
    "TimedRotatingFileStream": TimedRotatingFileStream,
    "WatchedFileStream": WatchedFileStream,
}


def get_stream(
    conf: Mapping[str, object] | None,
    reload: bool = False,  # noqa: FBT001, FBT002 as circus 0.19 has it
) -> Sink | None:
    """The sink for `{"class": …}`, `{"filename": …}` or `{"stream": ready}`; None for nothing.

    Raises CircusError. A class that is not ours is imported, which runs its module; with `reload`
    as that is in its file now.
    """
    if not conf:
        return None
    options = dict(conf)
    ready = options.pop("stream", None)
    name = str(options.pop("class", None) or ("FileStream" if "filename" in conf else ""))
    if ready is not None:
        return _callable(ready, "the stream")
    if not name:
        raise NoStream("a stream needs a class or a filename")
    try:
        return _callable(_factory(name, anew=reload)(**options), name)
    except (TypeError, ValueError, OSError) as error:
        raise CircusError(f"cannot make stream {name!r}: {error}") from error


def survey_streams(
    watchers: Iterable[WatcherConfig],
    where: Callable[[str, str], str],
    path: str | None,
    *,
    opened: Container[str] = (),
) -> list[Problem]:
    """Classes that are not there, wrong options of ours; and files that cannot be written.

    The last of those watchers only that are in `opened`, by name: what is not there yet is made.
    `path` is that of the configuration. Imports classes that are not ours, so it may block.
    """
    problems = []
    for config in watchers:
        for option in ("stdout_stream", "stderr_stream"):
            conf = getattr(config, option)
            if not conf:
                continue
            with importing_from(folders(config, path)):
                wrong = _wrong(conf, opened=config.name in opened)
            if wrong is not None:
                key, words = wrong
                place = where(f"watcher:{config.name}", f"{option}.{key or next(iter(conf))}")
                problems.append(Problem(place, f"{option}{key and '.'}{key}: {words}"))
    return problems


def _wrong(conf: Mapping[str, object], *, opened: bool) -> tuple[str, str] | None:
    """What is wrong with a stream, perhaps with one of its keys.

    What a class of somebody else does when it is called is left alone.
    """
    name = conf.get("class")
    try:
        if name is not None and _factory(str(name)) not in SHIPPED.values():
            return None
    except CircusError as error:
        return "class", str(error)
    try:
        get_stream(conf if opened else {**conf, "filename": os.devnull})
    except CircusError as error:
        return "", str(error)
    return None


def made_at_once(conf: Mapping[str, object]) -> bool:
    """Whether `get_stream` opens no file and runs no code of others, so that it cannot block."""
    name = str(conf.get("class", "")).removeprefix("circus.stream.")
    return "stream" in conf or (name in SHIPPED and not issubclass(SHIPPED[name], FileStream))


def _factory(name: str, *, anew: bool = False) -> Callable[..., object]:
    shipped = SHIPPED.get(name.removeprefix("circus.stream."))
    if shipped is not None:
        return shipped
    if "." not in name:
        known = ", ".join(sorted(SHIPPED))
        raise CircusError(f"there is no stream class {name!r}; shipped are {known}")
    found = (resolve_anew if anew else resolve_name)(name)
    if not callable(found):
        raise CircusError(f"stream class {name!r} is no class")
    return cast("Callable[..., Any]", found)  # what it takes is for its own code to say


def _callable(sink: object, name: str) -> Sink:
    if not callable(sink):
        raise CircusError(f"{name} cannot take output: a stream has to be callable")
    return cast("Sink", sink)  # a user's object: its signature is its own promise
