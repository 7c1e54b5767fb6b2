"""Looks after an HTTP server: sends how long it takes to statsd, restarts it when it fails."""

from __future__ import annotations

import logging
import time
import urllib.error
import urllib.request
from typing import Any

from circus.aside import aside
from circus.exc import ArgumentError
from circus.plugins.statsd import BaseObserver

logger = logging.getLogger(__name__)

NO_ANSWER = 599
"""Counted as the status when there is none."""
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""What is looked after is beside us: no proxy is to answer for it."""


class HttpObserver(BaseObserver):
    """`http_stats.…`: `request_time` in milliseconds, or `error`, `error.STATUS` and
    `restart_on_error`.
    """

    name = "http_observer"
    default_app_name = "http_observer"

    def __init__(self, *args: Any, **config: Any) -> None:
        super().__init__(*args, **config)
        self.check_url = config.get("check_url", "http://localhost/")
        if not self.check_url.startswith(("http://", "https://")):
            raise ArgumentError(f"check_url: {self.check_url!r} does not begin with http")
        self.timeout_seconds = float(config.get("timeout", 10))
        self.restart_on_error = config.get("restart_on_error")

    async def look_after(self) -> None:
        """Ask for the page, in a thread, and wait for no longer than `timeout` in all."""
        began = time.monotonic()
        try:
            loop, limit = self.loop.asyncio_loop, self.timeout_seconds
            status, reason = await aside(loop, self._fetch, limit=limit)
        except TimeoutError:
            status, reason = NO_ANSWER, f"no answer within {self.timeout_seconds:g} s"
        if status < 400:
            self.statsd.timed("http_stats.request_time", 1000 * (time.monotonic() - began))
        else:
            self._fail(status, reason)

    def _fetch(self) -> tuple[int, str]:
        """Status and reason. Blocks, each step no longer than `timeout`."""
        until = time.monotonic() + self.timeout_seconds
        try:
            with DIRECTLY.open(self.check_url, timeout=self.timeout_seconds) as answer:
                while answer.read1() and time.monotonic() < until:
                    pass
                return answer.status, answer.reason
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.reason
        except (OSError, ValueError) as error:
            return NO_ANSWER, str(getattr(error, "reason", error))

    def _fail(self, status: int, reason: str) -> None:
        logger.warning("%s failed: %s %s", self.check_url, status, reason)
        self.statsd.increment("http_stats.error")
        self.statsd.increment(f"http_stats.error.{status}")
        if self.restart_on_error:
            self.restart(self.restart_on_error)
            self.statsd.increment("http_stats.restart_on_error")
