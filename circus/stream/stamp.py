"""The time and the pid before each line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from circus.stream.sink import Record


class Stamp:
    """What `time_format` puts before the lines of one record: `<time> [<pid>] | `.

    With `continues` the data begins in the middle of a line, which has its stamp already.
    """

    def __init__(self, record: Record, time_format: str, *, continues: bool) -> None:
        moment = time.localtime(record.get("timestamp"))
        written = time.strftime(time_format, moment)
        self._mark = f"{written} [{record.get('pid', '')}] | ".encode()
        self._continues = continues

    def put_on(self, data: bytes) -> bytes:
        """The data with its stamps."""
        stamped = data.replace(b"\n", b"\n" + self._mark)
        if data.endswith(b"\n"):
            stamped = stamped[: -len(self._mark)]
        return stamped if self._continues else self._mark + stamped

    def taken_off(self, stamped: bytes) -> int:
        """How many bytes of data are in this beginning of what `put_on` gave."""
        lines = stamped.split(b"\n")
        size = len(lines) - 1
        for number, line in enumerate(lines):
            marked = number > 0 or not self._continues
            size += max(0, len(line) - len(self._mark)) if marked else len(line)
        return size
