"""Which sockets a watcher asks for, and how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from circus.config import commandline
from circus.config.variables import sockets_named

if TYPE_CHECKING:
    from circus.config.model import WatcherConfig


class Declared(Protocol):
    """What is known of a socket that may be asked for."""

    @property
    def so_reuseport(self) -> bool:
        """Whether each worker gets one of its own."""


def naming(config: WatcherConfig) -> Iterator[tuple[str, str]]:
    """The options that ask for a socket to be handed over, and its name in lower case."""
    for name in config.sockets:
        yield "sockets", name.lower()
    for key, text in commandline.texts(config):
        for name in sockets_named(text):
            yield key, name
    for key, text in config.env.items():
        for name in sockets_named(text):
            yield f"env.{key}", name


def told_by_number(config: WatcherConfig) -> frozenset[str]:
    """The names of which the command or the environment has the number."""
    return frozenset(name for key, name in naming(config) if key != "sockets")


def handed_over(config: WatcherConfig, declared: Mapping[str, Declared]) -> tuple[str, ...]:
    """The names of what its workers get, each once, in the order it names them.

    Those that are told by number come last: the others are announced, and have to begin at 3.
    With `use_sockets` and no name all, but none that would be a worker's own: to listen on one
    without knowing of it would take connections from those who do.
    """
    told = told_by_number(config)
    named = sorted(dict.fromkeys(name for _, name in naming(config)), key=told.__contains__)
    if named or not config.use_sockets:
        return tuple(named)
    return tuple(name for name, one in sorted(declared.items()) if not one.so_reuseport)


def used(config: WatcherConfig, declared: Mapping[str, Declared]) -> frozenset[str]:
    """Those, and the standard input."""
    names = handed_over(config, declared)
    return frozenset(
        names if config.stdin_socket is None else (*names, config.stdin_socket.lower())
    )


def waited_for(config: WatcherConfig, declared: Mapping[str, Declared]) -> frozenset[str]:
    """With `on_demand`, those whose first connection starts it: what it uses, else any."""
    names = used(config, declared) or declared.keys()
    return frozenset(name for name in names if name in declared and not declared[name].so_reuseport)
