"""Asks a web server all the time, and counts what it answers."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from typing import TYPE_CHECKING, Self

from tests.support import wait_until

if TYPE_CHECKING:
    from types import TracebackType

CLIENTS = 6


class Load:
    """Several clients, each of which connects, asks and reads, without a pause in between."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]
        self.answers: Counter[str] = Counter()
        """How often there was which answer, or why there was none."""

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        self.more()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int = 50) -> None:
        """Return after so many further answers."""
        enough = self.answers.total() + count
        wait_until(lambda: self.answers.total() >= enough)

    def _run(self) -> None:
        while not self._over.is_set():
            self.answers[self._ask()] += 1

    def _ask(self) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("GET", "/")
            answer = connection.getresponse()
            return answer.read().decode() if answer.status == 200 else str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            return repr(error)
        finally:
            connection.close()
