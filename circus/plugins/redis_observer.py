"""Looks after a Redis: sends its numbers to statsd, and restarts it when it does not answer."""

from __future__ import annotations

import logging
from typing import Any

from circus.aside import aside
from circus.plugins.statsd import BaseObserver

try:
    import redis
except ImportError as error:
    missing = "redis-py is not installed: Debian has it as python3-redis, pip as circus[redis]"
    raise ImportError(missing) from error

logger = logging.getLogger(__name__)

OBSERVED = (
    "pubsub_channels", "connected_slaves", "lru_clock", "connected_clients", "keyspace_misses",
    "used_memory", "used_memory_peak", "total_commands_processed", "used_memory_rss",
    "total_connections_received", "pubsub_patterns", "used_cpu_sys", "used_cpu_sys_children",
    "blocked_clients", "used_cpu_user", "client_biggest_input_buf", "mem_fragmentation_ratio",
    "expired_keys", "evicted_keys", "client_longest_output_list", "uptime_in_seconds",
    "keyspace_hits",
)  # fmt: skip
"""Those of its INFO that are sent; no version of Redis has them all."""


class RedisObserver(BaseObserver):
    """`redis_stats.…`: the numbers, and `error` and `restart_on_error` when there are none."""

    name = "redis_observer"
    default_app_name = "redis_observer"

    def __init__(self, *args: Any, **config: Any) -> None:
        super().__init__(*args, **config)
        url = config.get("redis_url", "redis://localhost:6379/0")
        seconds = float(config.get("timeout", 5))
        limits = {"socket_timeout": seconds}
        if not url.startswith("unix:"):  # which has no such limit before redis-py 5
            limits["socket_connect_timeout"] = seconds
        # a retry would make the time-out another one
        self.redis = redis.Redis.from_url(url, **limits, retry=None)
        self.restart_on_timeout = config.get("restart_on_timeout")

    async def look_after(self) -> None:
        """Ask for its INFO, in a thread."""
        try:
            info = await aside(self.loop.asyncio_loop, self.redis.info)
        except redis.RedisError as error:
            self._fail(error)
            return
        for key in OBSERVED:
            if key in info:
                self.statsd.gauge(f"redis_stats.{key}", info[key])

    def _fail(self, error: redis.RedisError) -> None:
        logger.warning("Redis does not answer: %s", error)
        self.statsd.increment("redis_stats.error")
        if self.restart_on_timeout:
            self.restart(self.restart_on_timeout)
            self.statsd.increment("redis_stats.restart_on_error")
