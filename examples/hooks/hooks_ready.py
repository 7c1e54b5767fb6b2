"""The hooks of circus.ini. circusd finds them because they lie beside it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import redis

from circus.exc import RetryLater

if TYPE_CHECKING:
    from circus.watcher import Watcher

store = redis.Redis(unix_socket_path="redis.sock", socket_timeout=2)
ends: Counter[int] = Counter()


def redis_answers(watcher: Watcher, arbiter: object, hook_name: str) -> bool:
    """Start the worker once Redis keeps what it is given, however long that takes."""
    try:
        store.set("asked-by", watcher.name)
        return bool(store.get("asked-by") == watcher.name.encode())
    except redis.RedisError as error:
        raise RetryLater(f"Redis does not answer: {error}") from error


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
