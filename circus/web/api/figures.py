"""What the console does, in numbers: those of circusd's families, then its own."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, ClassVar

import falcon

from circus.exc import CallError
from circus.plugins.metrics.exposition import OPENMETRICS, PLAIN, Definition
from circus.plugins.metrics.families import QUESTIONS, Answers, Numbers
from circus.web.controller import Refused
from circus.web.visitor import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.plugins.metrics.exposition import Sheet
    from circus.web.controller import Controller
    from circus.web.parts import Parts
    from circus.web.visitor import Need

OWN = (
    Definition("circus_console_requests", "counter", "Requests that were answered, by status."),
    Definition("circus_console_request_seconds", "counter", "How long that took, all in all."),
    Definition("circus_console_streams", "gauge", "Browsers that are told of changes now."),
    Definition("circus_console_cpu_seconds", "counter", "Processor time of the console."),
    Definition("circus_console_memory_bytes", "gauge", "Memory of the console."),
)


class Counted:
    """Middleware: counts. For any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[int] = Counter()
        self._seconds = 0.0

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """It begins."""
        req.context.began = time.monotonic()

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, _resource: object, _succeeded: object
    ) -> None:
        """It is answered; of a stream, or of a file, the head only."""
        took = time.monotonic() - req.context.began
        with self._lock:
            self._requests[falcon.http_status_to_code(resp.status)] += 1
            self._seconds += took

    def add_to(self, sheet: Sheet) -> None:
        """So many by now."""
        with self._lock:
            for status, number in sorted(self._requests.items()):
                sheet.add("circus_console_requests", number, status=str(status))
            sheet.add("circus_console_request_seconds", self._seconds)


class Figures:
    """`/metrics`."""

    needs: ClassVar[Mapping[str, Need]] = {"GET": METRICS}

    def __init__(self, parts: Parts, counted: Counted) -> None:
        self._parts = parts
        self._counted = counted
        self._scraped = Scraped()

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """OpenMetrics for whoever asks for it, else Prometheus' own format."""
        sheet = self._scraped.sheet(self._parts.controller)
        self._counted.add_to(sheet)
        sheet.add("circus_console_streams", len(self._parts.streams))
        sheet.add("circus_console_cpu_seconds", time.process_time())
        sheet.add("circus_console_memory_bytes", _resident())
        openmetrics = "application/openmetrics-text" in req.accept
        resp.content_type = OPENMETRICS if openmetrics else PLAIN
        resp.data = sheet.text(openmetrics=openmetrics).encode("utf-8", "replace")


class Scraped:
    """What circusd says, and what has to be remembered of it from one look to the next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = Numbers()

    def sheet(self, controller: Controller) -> Sheet:
        """As it is now. Blocks while circusd has not answered."""
        try:
            answers: Answers | None = _ask(controller)
            happened = controller.call("events", **self._numbers.missed())
        except (CallError, Refused):
            answers, happened = None, None
        with self._lock:
            if happened is not None:
                self._numbers.heard(happened)
            return self._numbers.sheet(answers, OWN)


def _ask(controller: Controller) -> Answers:
    before = time.monotonic()
    controller.call("numwatchers")
    delay = time.monotonic() - before
    why, stats, sockets, daemon = (controller.call(verb) for verb in QUESTIONS)
    return Answers(why, stats, sockets, daemon, delay)


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
