"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

import contextlib
import textwrap
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.daemon.hooked import PRELUDE
from tests.support import Daemon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.daemon.hooked import Hooked


class Start(Protocol):
    """Starts a circusd on a configuration."""

    def __call__(self, text: str, *arguments: str, uid: int = 0) -> Daemon: ...


@pytest.fixture
def circusd() -> Iterator[Start]:
    """Starts daemons that answer, and ends them with the test."""
    with contextlib.ExitStack() as ended:  # all of them, also after one that complains

        def start(text: str, *arguments: str, uid: int = 0) -> Daemon:
            daemon = Daemon(text, *arguments, uid=uid)
            ended.callback(daemon.stop)
            return daemon.wait()

        yield start


@pytest.fixture
def hooked(circusd: Start, tmp_path: Path) -> Hooked:
    """Starts a circusd with a module of hooks `mine` and a watcher `w` that has some of them."""

    def start(*options: str, code: str = "", more: str = "", cmd: str = "") -> Daemon:
        (tmp_path / "mine.py").write_text(PRELUDE + textwrap.dedent(code))
        watcher = ["[watcher:w]", f"cmd = {cmd or 'sleep 3600'}", *options]
        env = ["[env:w]", f"PYTHONPATH = {tmp_path}"]
        return circusd("\n".join([*watcher, *env, more, ""]))

    return start
