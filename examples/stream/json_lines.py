"""A stream of one's own: each line as an object, for whatever collects JSON. See circus.ini."""

from __future__ import annotations

import json
from typing import Any


class JsonLines:
    """Appends to `filename`; `field.NAME` options are in each object as they are.

    circusd calls it with whole lines, in a thread of its own: it may take its time. What it raises
    is told, and what it was given is counted as dropped.
    """

    def __init__(self, filename: str, **options: str) -> None:
        self.filename = filename
        self._more = {
            name.removeprefix("field."): value
            for name, value in options.items()
            if name.startswith("field.")
        }

    def open(self) -> None:
        """Before the first line."""
        self._file = open(self.filename, "a", encoding="utf-8")  # noqa: SIM115 stays open

    def close(self) -> None:
        """After the last one."""
        self._file.close()

    def reopen(self) -> None:
        """On SIGUSR1: somebody has moved the file."""
        self.close()
        self.open()

    def __call__(self, record: dict[str, Any]) -> None:
        """`data` is bytes, several lines perhaps, of one worker."""
        facts = {key: record[key] for key in ("timestamp", "pid", "name")} | self._more
        lines = record["data"].decode(errors="backslashreplace").splitlines()
        self._file.writelines(json.dumps({**facts, "line": line}) + "\n" for line in lines)
        self._file.flush()
