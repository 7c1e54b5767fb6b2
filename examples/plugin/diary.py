"""A plugin of circus.ini. It is found because it lies beside it."""

from __future__ import annotations

import time
from typing import IO, Any

from circus.plugins import CircusPlugin


class Diary(CircusPlugin):
    """Asks circusd what it knows about each worker that has ended."""

    file: IO[str]

    def __init__(self, *args: Any, **config: Any) -> None:
        super().__init__(*args, **config)
        self.filename = config["filename"]

    def handle_init(self) -> None:
        """Open the diary; who reads it sees each line at once."""
        self.file = open(self.filename, "a", buffering=1)  # noqa: SIM115 handle_stop closes it

    def handle_recv(self, data: list[bytes]) -> None:
        """Write down an end."""
        watcher, action, message = self.split_data(data)
        if action == "reap":
            event = self.load_message(message)
            answer = self.call("why", name=f"{watcher}.{event['wid']}")
            if answer["status"] == "error":  # its slot is gone too
                return
            slot = answer["watchers"][0]["slots"][0]
            when = time.strftime("%F %T", time.localtime(event["time"]))
            self.file.write(f"{when} {watcher}.{event['wid']}: {slot['last']}\n")

    def handle_stop(self) -> None:
        """Close it."""
        self.file.close()
