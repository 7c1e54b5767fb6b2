"""What the supervisors are given to run, and where."""

from __future__ import annotations

import os
import select
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import TooSlow

USER, GROUP = "nobody", "nogroup"
FILES = 512
"""The limit of open files that workers with an identity get; their core files may have none."""
LINE_BYTES = 100
_PID_DIGITS = 7
_CHATTER = """\
import posix
pid = b"%0{digits}d" % posix.getpid()
block = (pid.ljust({length} - {digits}, b".") + pid + b"\\n") * 2048
while True:
    posix.write(1, block)
"""
"""Pipes are filled to the last byte: a reader meets lines cut anywhere, as from buffered output."""


@dataclass(frozen=True, slots=True)
class Load:
    """So many workers of one kind."""

    count: int
    command: str
    """An absolute path and plain words."""
    program: str
    """The name by which /proc knows a worker."""
    keep: bool = False
    """Whether the floor has to replace workers that end."""
    identity: bool = False
    """As USER and GROUP, with two limits."""
    capture: bool = False
    """Output is to be captured into files."""


class Site:
    """A folder for one run: the programs of the workers, and one folder for each start."""

    def __init__(self) -> None:
        # short, because the path of a Unix socket may not be long
        self.folder = Path(tempfile.mkdtemp(prefix="cb-", dir="/tmp"))
        self.folder.chmod(0o755)  # workers of another user run what is in it
        # names of their own tell our workers from everybody else's
        self._sleeper = self._copy("sleep", "bench-sleeper")
        self._chatter = self.folder / "bench-chatter"
        self._chatter.symlink_to(Path(sys.executable).resolve())
        self._starts = 0

    def _copy(self, program: str, name: str) -> Path:
        found = shutil.which(program)
        assert found is not None
        shutil.copy(found, self.folder / name)
        return self.folder / name

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> Path:
        """A new, empty folder."""
        self._starts += 1
        found = self.folder / str(self._starts)
        found.mkdir()
        return found

    def sleepers(self, count: int, *, identity: bool = False) -> Load:
        """Workers that do nothing at all."""
        return Load(count, f"{self._sleeper} 100000", self._sleeper.name, identity=identity)

    def ringers(self, count: int, bell: Bell) -> Load:
        """Workers whose first instruction rings a bell, and that do nothing after it."""
        script = self._script("ringer", f"echo $$ > {bell.path}\nexec {self._sleeper} 100000\n")
        return Load(count, script, self._sleeper.name, keep=True)

    def chatterers(self, count: int) -> Load:
        """Workers that write lines as fast as they can, each with its pid at both ends."""
        script = self.folder / "chatter.py"
        script.write_text(_CHATTER.format(digits=_PID_DIGITS, length=LINE_BYTES - 1))
        command = f"{self._chatter} -S -E {script}"
        return Load(count, command, self._chatter.name, capture=True)

    def _script(self, name: str, text: str) -> str:
        script = self.folder / name
        script.write_text(f"#!/bin/sh\n{text}")
        script.chmod(0o755)
        return str(script)


class Bell:
    """A pipe with a name; workers write their pid to it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "bell"
        os.mkfifo(self.path, 0o622)
        self._fd = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)  # never without a reader
        self._text = b""

    def close(self) -> None:
        """Release it; the workers must have ended."""
        os.close(self._fd)
        self.path.unlink()

    def rings(self, count: int, *, within: float) -> list[int]:
        """The pids of the next `count` workers. Raises TooSlow after `within` seconds."""
        until = time.perf_counter() + within
        while self._text.count(b"\n") < count:
            left = until - time.perf_counter()
            if left <= 0 or not select.select([self._fd], [], [], left)[0]:
                raise TooSlow(f"{self._text.count(10)} of {count} within {within:.0f} s")
            self._text += os.read(self._fd, 65536)
        *lines, rest = self._text.split(b"\n", count)
        self._text = rest
        return [int(line) for line in lines]


def whole(line: bytes) -> bool:
    """Whether a line, without its end, is one line of one chatterer."""
    return len(line) == LINE_BYTES - 1 and line[:_PID_DIGITS] == line[-_PID_DIGITS:]
