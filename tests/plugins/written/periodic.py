"""A plugin as one was written for circus 0.19: Tornado calls it, and it uses its loop."""

from __future__ import annotations

import time
from typing import Any

from tornado.ioloop import PeriodicCallback

from circus.plugins import CircusPlugin


class Periodic(CircusPlugin):
    name = "periodic"

    def __init__(self, *args: Any, **config: Any) -> None:
        super().__init__(*args, **config)
        self.file = config.get("file")
        self.period = None

    def handle_init(self) -> None:
        self.period = PeriodicCallback(self.look_after, 20)  # type: ignore[assignment]
        self.period.start()  # type: ignore[attr-defined]
        self.loop.add_callback(self.write, "callback")
        self.loop.add_timeout(time.time() + 0.02, self.write, "timeout")

    def handle_stop(self) -> None:
        self.period.stop()  # type: ignore[attr-defined]

    def handle_recv(self, data: list[bytes]) -> None:
        pass

    def look_after(self) -> None:
        self.write(f"watchers {self.call('numwatchers')['numwatchers']}")

    def write(self, line: str) -> None:
        with open(self.file, "a") as file:  # type: ignore[arg-type]
            file.write(f"{line}\n")
