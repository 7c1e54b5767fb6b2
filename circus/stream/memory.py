"""Output kept in memory, for programs that use Circus as a library."""

from __future__ import annotations

from queue import Empty, Queue
from typing import Any

__all__ = ["Empty", "Queue", "QueueStream"]


class QueueStream(Queue[dict[str, Any]]):
    """Every piece of output as one item."""

    def __init__(self, **_options: object) -> None:
        super().__init__()

    def __call__(self, data: dict[str, Any]) -> None:
        """Never blocks: the queue has no bound, its user empties it."""
        self.put_nowait(data)
