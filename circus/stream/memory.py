"""Output kept in memory, for programs that use Circus as a library."""

from __future__ import annotations

from queue import Empty, Full, Queue

from circus.stream.sink import Record

__all__ = ["Empty", "Queue", "QueueStream"]


class QueueStream(Queue[Record]):
    """A queue of records, `{"pid", "name", "data", "timestamp"}`, that its user has to empty.

    It holds `limit_bytes` of output; what comes while it is full is dropped and counted.
    """

    prompt = True

    def __init__(self, limit_bytes: str | int = 64 << 20, **_options: object) -> None:
        super().__init__()
        self.limit_bytes = int(limit_bytes)
        self._held_bytes = 0

    def __call__(self, record: Record) -> None:
        """Never blocks. Raises queue.Full."""
        if self._held_bytes and self._held_bytes + len(record["data"]) > self.limit_bytes:
            raise Full(f"nobody empties this queue; it holds {self._held_bytes} bytes")
        self.put_nowait(record)

    # queue.Queue calls these two, and nothing else, with its lock held
    def _put(self, item: Record) -> None:
        super()._put(item)
        self._held_bytes += len(item["data"])

    def _get(self) -> Record:
        item = super()._get()
        self._held_bytes -= len(item["data"])
        return item
