"""Topics and payloads of what happens, as PUB publishes them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def topic(watcher: str, event: str) -> bytes:
    """`watcher.<name>.<event>`, the name in lower case with `_` for blanks."""
    return f"watcher.{watcher.lower().replace(' ', '_')}.{event}".encode()


class Events:
    """Where everything that happens is told; `publish` (topic, JSON) never blocks."""

    def __init__(self) -> None:
        self.publish: Callable[[bytes, bytes], None] | None = None

    def tell(self, watcher: str, event: str, **fields: object) -> None:
        """Publish one event, with the time (epoch seconds) it is told at."""
        if self.publish is not None:
            payload = json.dumps({"time": time.time(), **fields}).encode()
            self.publish(topic(watcher, event), payload)
