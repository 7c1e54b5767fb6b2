"""The plugin: asks circusd when somebody scrapes, and now and then for a file."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import tempfile
import time
from typing import TYPE_CHECKING, Any

from circus.aside import aside
from circus.client import AsyncCircusClient
from circus.exc import CallError
from circus.plugins.base import CircusPlugin
from circus.plugins.metrics.exposition import OPENMETRICS, PLAIN
from circus.plugins.metrics.families import QUESTIONS, Answers, Numbers
from circus.plugins.metrics.http import Server, listening

if TYPE_CHECKING:
    from circus.plugins.base import Event

logger = logging.getLogger(__name__)

LISTEN = "127.0.0.1:9779"
READABLE = 0o644
"""Mode of the file: its reader is another user."""


class Metrics(CircusPlugin):
    """Serves `/metrics` at `listen`, and with `file` writes it there every `loop_rate` seconds."""

    name = "metrics"

    def __init__(self, *args: Any, **config: Any) -> None:
        super().__init__(*args, **config)
        self.listen = config.get("listen", LISTEN).strip()
        self.file = config.get("file")
        self.loop_rate = float(config.get("loop_rate", 15))
        self.timeout = float(config.get("timeout", self.timeout))
        self._numbers = Numbers()
        self._server: Server | None = None

    @functools.cached_property
    def _asking(self) -> AsyncCircusClient:
        """Several scrape at a time, and nobody is to wait for a `call`; made in the loop."""
        return AsyncCircusClient(
            endpoint=self.endpoint,
            timeout=self.timeout,
            ssh_server=self.ssh_server,
            curve_key=self.config.get("curve_key"),
        )

    async def handle_init(self) -> None:
        """Listen, and begin to write."""
        if self.listen:
            self._server = Server(listening(self.listen), self._page)
            await self._server.begin()
            logger.info("Metrics are at %s", self.listen)
        if self.file:
            self.loop.keep(self._write_now_and_then(self.file))

    def handle_recv(self, data: Event) -> None:
        """How workers end is told by events only: here, too, for circusd keeps the last few."""
        topic, message = data
        self._numbers.happened(topic.decode("utf-8", "replace"), self.load_message(message))

    async def handle_stop(self) -> None:
        """Listen and ask no more."""
        if self._server is not None:
            self._server.close()
        await self._asking.stop()

    # -- one look ------------------------------------------------

    async def text(self, *, openmetrics: bool) -> str:
        """All numbers, as they are now."""
        try:
            answers: Answers | None = await self._ask()
        except CallError as error:
            logger.warning("circusd does not answer: %s", error)
            answers = None
        return self._numbers.sheet(answers).text(openmetrics=openmetrics)

    async def _ask(self) -> Answers:
        before = time.monotonic()
        await self._asking.send_message("numwatchers")
        delay = time.monotonic() - before
        found = await asyncio.gather(
            *map(self._asking.send_message, QUESTIONS),
            self._asking.send_message("events", **self._numbers.missed()),
        )
        for answer in found:
            if answer.get("status") != "ok":
                raise CallError(str(answer.get("reason")))
        why, stats, sockets, daemon, happened = found
        self._numbers.heard(happened)
        return Answers(why, stats, sockets, daemon, delay)

    async def _page(self, accepted: str) -> tuple[str, str]:
        openmetrics = "application/openmetrics-text" in accepted
        return OPENMETRICS if openmetrics else PLAIN, await self.text(openmetrics=openmetrics)

    async def _write_now_and_then(self, path: str) -> None:
        while True:
            text = await self.text(openmetrics=False)
            try:
                await aside(self.loop.asyncio_loop, functools.partial(write, path, text))
            except OSError as error:
                logger.error("Cannot write %s: %s", path, error.strerror)
            await asyncio.sleep(self.loop_rate)


def write(path: str, text: str) -> None:
    """Whoever reads it finds the old text or the new one. Raises OSError. Blocks."""
    folder = os.path.dirname(os.path.abspath(path))
    fd, temporary = tempfile.mkstemp(prefix=".circus-", dir=folder)
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, READABLE)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
