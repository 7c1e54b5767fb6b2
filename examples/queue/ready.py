"""The hook of circus.ini."""

from __future__ import annotations

import redis

from circus.exc import RetryLater


def redis_answers(watcher: object, arbiter: object, hook_name: str) -> bool:
    """Start the workers once Redis answers."""
    try:
        return bool(redis.Redis(unix_socket_path="redis.sock", socket_timeout=2).ping())
    except redis.RedisError as error:
        raise RetryLater(f"Redis does not answer: {error}") from error
