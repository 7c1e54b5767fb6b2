"""A plugin of circus.ini, which hears of everything and asks for nothing."""

from __future__ import annotations

from typing import IO, Any

from circus.plugins import CircusPlugin


class Logger(CircusPlugin):
    """Appends each event to a file: its topic, two colons, and what it says as JSON."""

    name = "logger"
    file: IO[str]

    def __init__(self, filename: str, **config: Any) -> None:
        super().__init__(**config)
        self.filename = filename

    def handle_init(self) -> None:
        """Open the file; who reads it sees each line at once."""
        self.file = open(self.filename, "a", buffering=1)  # noqa: SIM115 handle_stop closes it

    def handle_recv(self, data: list[bytes]) -> None:
        """Write an event down."""
        topic, message = data
        self.file.write(f"{topic.decode()}::{message.decode()}\n")

    def handle_stop(self) -> None:
        """Close it."""
        self.file.close()
