"""A plugin that writes down whatever happens to it, a line of JSON each time."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from circus.exc import CallError
from circus.plugins import CircusPlugin


class Tells(CircusPlugin):
    """With the constructor that the documentation of circus 0.19 has."""

    def __init__(self, *args: Any, **config: Any) -> None:
        super().__init__(*args, **config)
        self.file = config["file"]

    def tell(self, **what: object) -> None:
        with open(self.file, "a") as file:
            file.write(json.dumps(what) + "\n")

    def handle_init(self) -> None:
        self.tell(config=self.config, delay=self.check_delay)

    def handle_recv(self, data: list[bytes]) -> None:
        name, action, message = self.split_data(data)
        self.tell(name=name, action=action, message=self.load_message(message))

    def handle_stop(self) -> None:
        self.tell(stopped=self.call("numwatchers")["numwatchers"])


class Asks(CircusPlugin):
    """Asks circusd once, as nobody if it is to be, and prints what comes of it."""

    timeout = 0.5

    def handle_init(self) -> None:
        if "nobody" in self.config:  # who may not even execute the Python of some who run tests
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        try:
            answer = self.call("numwatchers")
            sys.stderr.write(f"answer: {answer.get('reason', 'ok')}\n")
        except CallError as error:
            sys.stderr.write(f"{error}\n")

    def handle_recv(self, data: list[bytes]) -> None:
        pass


class Fails(CircusPlugin):
    """Cannot do without an option."""

    def __init__(self, *args: Any, needed: str, **config: Any) -> None:
        super().__init__(*args, **config)
        self.needed = needed


class Stumbles(Tells):
    """Fails at its first start, and then at its first event."""

    def handle_recv(self, data: list[bytes]) -> None:
        if not os.path.exists(f"{self.file}.first"):
            open(f"{self.file}.first", "x").close()
            raise ValueError("not this one")
        super().handle_recv(data)

    def handle_init(self) -> None:
        if not os.path.exists(self.file):
            self.tell(began=True)
            raise RuntimeError("not at the first try")
