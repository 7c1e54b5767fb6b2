"""Output passed on to the daemon's own standard output."""

from __future__ import annotations

import os
from typing import Any


class StdoutStream:
    """Writes to descriptor 1, past any buffer of ours. May block as long as its reader does."""

    def __init__(self, **_options: object) -> None:
        self._fd = 1

    def __call__(self, data: dict[str, Any]) -> None:
        """Raises OSError when standard output is gone or full."""
        rest = memoryview(data["data"])
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:  # a terminal or pipe that somebody made non-blocking
                os.set_blocking(self._fd, True)
