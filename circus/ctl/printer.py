"""Pass on what workers wrote; on a terminal, nothing in it acts on it."""

from __future__ import annotations

import codecs
import sys

BLOCK_BYTES = 64 * 1024
LINES = 10
"""From the end, when nothing else is asked for."""


class Printer:
    """Writes blocks of several files."""

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
    return "".join(
        char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text
    )
