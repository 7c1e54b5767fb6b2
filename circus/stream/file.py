"""Output into files: appended whole, rotated between lines."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from typing import Any

from circus.exc import CircusError


class _File:
    """One open file for everybody who writes to its path, so that nobody tears another's line."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.users = 0
        self.fd = -1
        self.at_line_start = True

    def open(self) -> None:
        """Raises OSError."""
        if self.fd < 0:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            self.fd = os.open(self.path, flags, 0o666)

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def write(self, data: bytes | memoryview) -> None:
        """All of it. Raises OSError; the next write then begins a line of its own."""
        self.open()
        if not self.at_line_start and data[:1] != b"\n" and self._broken:
            os.write(self.fd, b"\n")
        self._broken = False
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self.fd, rest) :]
        except OSError:
            written = len(data) - len(rest)
            if written:
                self.at_line_start = data[written - 1 : written] == b"\n"
            self._broken = True
            raise
        self.at_line_start = data[-1:] == b"\n"

    _broken = False


_OPEN: dict[str, _File] = {}


class FileStream:
    """Appends to `filename`; rolls it to .1, .2 … before it would reach `max_bytes`."""

    def __init__(
        self,
        filename: str | None = None,
        max_bytes: str | int = 0,
        backup_count: str | int = 0,
        time_format: str | None = None,
        **_options: object,
    ) -> None:
        if filename is None:
            fd, filename = tempfile.mkstemp(prefix="circus-")
            os.close(fd)
        self.filename = os.path.abspath(filename)
        self.max_bytes = int(max_bytes)
        self.backup_count = int(backup_count)
        self.time_format = time_format
        self._file: _File | None = None
        self.open()

    def open(self) -> None:
        """Raises CircusError: a file that cannot be written is told before a worker starts."""
        if self._file is not None:
            return
        file = _OPEN.setdefault(self.filename, _File(self.filename))
        try:
            file.open()
        except OSError as error:
            if not file.users:
                del _OPEN[self.filename]
            raise CircusError(f"cannot write to {self.filename!r}: {error.strerror}") from error
        file.users += 1
        self._file = file

    def close(self) -> None:
        """Closes the descriptor when nobody else writes to the same path."""
        file, self._file = self._file, None
        if file is not None:
            file.users -= 1
            if not file.users:
                file.close()
                _OPEN.pop(self.filename, None)

    def reopen(self) -> None:
        """Go on in a new file, after the old one was moved away."""
        if self._file is not None:
            self._file.close()

    def __call__(self, data: dict[str, Any]) -> None:
        """Write one piece. Raises OSError with what the disk said."""
        self.open()
        assert self._file is not None  # noqa: S101 open() made it or raised
        text = data["data"]
        if self.time_format:
            text = _stamped(text, data, self.time_format)
        if self.max_bytes <= 0:
            self._file.write(text)
            return
        self._write_rolling(self._file, text)

    def _write_rolling(self, file: _File, data: bytes) -> None:
        file.open()
        position = os.fstat(file.fd).st_size
        rest = memoryview(data)
        while rest:
            room = max(0, self.max_bytes - position)
            if len(rest) < room:
                file.write(rest)
                return
            end = data.rfind(b"\n", len(data) - len(rest), len(data) - len(rest) + room)
            take = end + 1 - (len(data) - len(rest)) if end >= 0 else 0
            if not take and (position == 0 or not file.at_line_start):
                # longer than a whole file, or the end of a line: it goes where its beginning is
                end = data.find(b"\n", len(data) - len(rest))
                take = len(rest) if end < 0 else end + 1 - (len(data) - len(rest))
            if take:
                file.write(rest[:take])
                rest = rest[take:]
            if file.at_line_start:
                self._roll(file)
                position = 0
            elif not rest:
                return

    def _roll(self, file: _File) -> None:
        file.close()
        if self.backup_count > 0:
            for number in range(self.backup_count - 1, 0, -1):
                with contextlib.suppress(FileNotFoundError):
                    os.replace(f"{self.filename}.{number}", f"{self.filename}.{number + 1}")
            with contextlib.suppress(FileNotFoundError):
                os.replace(self.filename, f"{self.filename}.1")
        else:
            with contextlib.suppress(FileNotFoundError):
                os.truncate(self.filename, 0)
        file.open()


def _stamped(text: bytes, data: dict[str, Any], time_format: str) -> bytes:
    """Each line with the time and the pid before it."""
    moment = time.localtime(data.get("timestamp"))
    prefix = f"{time.strftime(time_format, moment)} [{data.get('pid', '')}] | ".encode()
    ending = text[-1:] == b"\n"
    body = text[:-1] if ending else text
    return prefix + body.replace(b"\n", b"\n" + prefix) + b"\n"
