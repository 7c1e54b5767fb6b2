"""The hooks of hooks.ini. circusd finds them because they lie beside it."""

from __future__ import annotations

import socket
from collections import Counter
from typing import TYPE_CHECKING

from circus.exc import RetryLater

if TYPE_CHECKING:
    from circus.watcher import Watcher

STORE = ("127.0.0.1", 7711)
ends: Counter[int] = Counter()


def store_answers(watcher: Watcher, arbiter: object, hook_name: str) -> bool:
    """Start the worker once somebody listens there, however long that takes."""
    try:
        socket.create_connection(STORE, timeout=2).close()
    except OSError as error:
        raise RetryLater(f"the store does not answer {watcher.name}: {error}") from error
    return True


def keep_count(
    watcher: Watcher,
    arbiter: object,
    hook_name: str,
    *,
    process_pid: int,
    time: float,
    exit_code: int,
    process_status: int | None,
) -> None:
    """How often workers ended, and how."""
    ends[exit_code] += 1
