"""The console that a test asks for."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.support import Daemon
from tests.web.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterator

WATCHERS = """
[watcher:web]
cmd = sleep 3600
numprocesses = 2
[watcher:off]
cmd = sleep 3600
autostart = False
"""


class Open(Protocol):
    """Starts a circusd on a configuration, and a console before it."""

    def __call__(self, options: str = "", *flags: str, watchers: str = WATCHERS) -> Console: ...


@pytest.fixture
def consoles() -> Iterator[Open]:
    """Starts consoles, and ends them with the test."""
    with contextlib.ExitStack() as ended:
        yield opener(ended)


@pytest.fixture
def console(consoles: Open) -> Console:
    """One with two watchers, `web` with two workers and `off`, to which nobody has logged in."""
    return consoles()


@pytest.fixture(scope="module")
def shared() -> Iterator[Console]:
    """The same for all tests of a module, each of which logs in for itself, or does not."""
    with contextlib.ExitStack() as ended:
        yield opener(ended)()


def opener(ended: contextlib.ExitStack) -> Open:
    """Starts consoles that end together."""

    def begin(options: str = "", *flags: str, watchers: str = WATCHERS) -> Console:
        daemon = Daemon(watchers)
        ended.callback(daemon.stop)
        console = Console(daemon.wait(), options, *flags)
        ended.callback(console.stop)
        return console

    return begin
