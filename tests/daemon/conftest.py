"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from tests.support import Daemon

if TYPE_CHECKING:
    from collections.abc import Iterator


class Start(Protocol):
    """Starts a circusd on a configuration."""

    def __call__(self, text: str, *arguments: str, uid: int = 0) -> Daemon: ...


@pytest.fixture
def circusd() -> Iterator[Start]:
    """Starts daemons that answer, and ends them with the test."""
    started: list[Daemon] = []

    def start(text: str, *arguments: str, uid: int = 0) -> Daemon:
        daemon = Daemon(text, *arguments, uid=uid)
        started.append(daemon)
        return daemon.wait()

    yield start
    for daemon in started:
        daemon.stop()
