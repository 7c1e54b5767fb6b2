"""A hook that holds a watcher back until its Redis answers."""

from __future__ import annotations

import redis

from tests.support import wait_until


def redis_answers(watcher: object, arbiter: object, hook_name: str, **given: object) -> bool:
    config = watcher.options()  # type: ignore[attr-defined]
    asked = redis.Redis(unix_socket_path=dict(config)["at"], socket_timeout=1)

    def answers() -> bool:
        try:
            return bool(asked.ping())
        except redis.RedisError:
            return False

    return bool(wait_until(answers))
