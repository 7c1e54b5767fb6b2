"""Show what circusd writes to files, and go on showing it.

New output is looked for a few times a second: that works on every file system, costs nothing
worth measuring in a program that a person runs, and ends at once when nobody reads any more.
"""

from __future__ import annotations

import codecs
import json
import os
import select
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from circus import wire
from circus.commands.look import Logs
from circus.ctl.output import complain, say
from circus.exc import CallError, CircusError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from circus.client import CircusClient

BLOCK_BYTES = 64 * 1024
POLL_MS = 200


def show_logs(
    client: CircusClient, *, name: str, follow: bool, lines: int = 10, as_json: bool = False
) -> int:
    """Print the last lines of a watcher's files. The exit status."""
    answer = client.send_message("options", name=name)
    reason = wire.reason(answer)
    if reason is not None:
        if as_json:
            say(json.dumps(answer))
        else:
            complain(f"error: {reason}")
        return Logs.refused_status
    paths = log_files(answer["options"])
    if not paths:
        raise CallError(f"{name} has no file: neither stdout_stream nor stderr_stream writes one")
    if as_json:
        say(json.dumps({"status": "ok", "files": paths}))
        return 0
    tails = [Tail(path) for path in paths]
    for tail in tails:
        tail.start(lines)
    printer = Printer(with_names=len(tails) > 1)
    try:
        _print_all(tails, printer)
        if follow:
            _follow(tails, printer)
    finally:
        for tail in tails:
            tail.close()
    return 0


def log_files(options: dict[str, Any]) -> list[str]:
    """The files that a watcher's options name, each once."""
    found = []
    for stream in ("stdout_stream", "stderr_stream"):
        conf = options.get(f"{stream}_conf") or {}
        found.append(options.get(f"{stream}.filename") or conf.get("filename"))
    return list(dict.fromkeys(str(path) for path in found if path))


def _print_all(tails: Sequence[Tail], printer: Printer) -> None:
    for tail in tails:
        while data := tail.read():
            printer.write(tail.path, data)
    sys.stdout.flush()


def _follow(tails: Sequence[Tail], printer: Printer) -> None:
    reader_left = select.poll()
    reader_left.register(sys.stdout.fileno(), 0)  # tells of an error or the other end's going
    while not reader_left.poll(POLL_MS):
        _print_all(tails, printer)


class Tail:
    """Reads on at the end of a file, also when another one has taken its name."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file: BinaryIO | None = None

    def start(self, lines: int) -> None:
        """Go to the last `lines` lines. Raises CircusError when the file cannot be read."""
        try:
            self._file = open(self.path, "rb")  # noqa: SIM115 stays open
            self._file.seek(_start_of_last(self._file, lines))
        except FileNotFoundError:
            return  # nothing was written yet
        except OSError as error:
            raise CircusError(f"cannot read {self.path}: {error.strerror}") from error

    def read(self) -> bytes:
        """Some of what is new, empty when there is none."""
        if self._file is None and not self._open_next():
            return b""
        data = self._read_some()
        if data or not self._open_next():
            return data
        return self._read_some()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _read_some(self) -> bytes:
        file = self._file
        if file is None:
            return b""
        if os.fstat(file.fileno()).st_size < file.tell():  # it was cut short: begin again
            file.seek(0)
        return file.read(BLOCK_BYTES)

    def _open_next(self) -> bool:
        """Whether another file has the name now."""
        try:
            if self._file and os.path.samestat(os.stat(self.path), os.fstat(self._file.fileno())):
                return False
            following = open(self.path, "rb")  # noqa: SIM115 stays open
        except OSError:
            return False
        if self._file is not None:
            self._file.close()
        self._file = following
        return True


def _start_of_last(file: BinaryIO, lines: int) -> int:
    """Where the last `lines` lines begin, found from the end so that size does not matter."""
    end = position = file.seek(0, os.SEEK_END)
    if not lines:
        return end
    while position > 0:
        size = min(BLOCK_BYTES, position)
        position -= size
        file.seek(position)
        block = file.read(size)
        at = len(block)
        while (at := block.rfind(b"\n", 0, at)) >= 0:
            if position + at == end - 1:
                continue  # the last line's own end
            lines -= 1
            if not lines:
                return position + at + 1
    return 0


class Printer:
    """Writes blocks of several files; on a terminal, nothing in them acts on it."""

    def __init__(self, *, with_names: bool) -> None:
        self._with_names = with_names
        self._last = ""
        self._raw = not sys.stdout.isatty()
        self._decoders: dict[str, codecs.IncrementalDecoder] = {}

    def write(self, path: str, data: bytes) -> None:
        """One block of one file."""
        if self._with_names and path != self._last:
            self._put(f"{'' if not self._last else chr(10)}==> {path} <==\n".encode())
            self._last = path
        if self._raw:
            self._put(data)
        else:
            decoder = self._decoders.setdefault(
                path, codecs.getincrementaldecoder("utf-8")("backslashreplace")
            )
            self._put(escaped(decoder.decode(data)).encode())

    def _put(self, data: bytes) -> None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)


def escaped(text: str) -> str:
    """The same with control characters written out, all but tab and newline."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text
    )
