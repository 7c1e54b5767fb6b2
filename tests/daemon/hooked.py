"""A module of hooks for a circusd under test, and what they have written down."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.support import text_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support import Daemon

    Hooked = Callable[..., Daemon]

PRELUDE = """
import json, os, time
from pathlib import Path

from circus.client import CircusClient
from circus.exc import RetryLater

HERE = Path(__file__).parent


def note(hook_name, **what):
    with (HERE / "notes").open("a") as notes:
        print(json.dumps([hook_name, what]), file=notes)


def wait_for(name):
    while not (HERE / name).exists():
        time.sleep(0.01)


def yes(watcher, arbiter, hook_name, **given):
    note(hook_name, **given)
    return True


def no(watcher, arbiter, hook_name, **given):
    note(hook_name, **given)
    return False


def nothing(watcher, arbiter, hook_name, **given):
    note(hook_name, **given)


def fails(watcher, arbiter, hook_name, **given):
    note(hook_name, **given)
    raise ValueError("as it was told to")


def hangs(watcher, arbiter, hook_name, **given):
    note(hook_name, **given)
    wait_for("go")
    return True
"""


def notes(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """What the hooks have written down, in order."""
    return [tuple(json.loads(line)) for line in text_of(folder / "notes").splitlines()]


def called(folder: Path) -> list[str]:
    return [hook for hook, _ in notes(folder)]


def state(daemon: Daemon, name: str = "w") -> str:
    return str(daemon.call("status", name=name)["status"])


def why(daemon: Daemon, name: str = "w") -> str:
    return daemon.ctl("why", name).stdout
