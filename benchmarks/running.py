"""One started supervisor with its workers."""

from __future__ import annotations

import contextlib
import subprocess
import time
from typing import TYPE_CHECKING

from benchmarks.machine import Census, TooSlow, below, comm, kill, reap, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.loads import Load
    from benchmarks.peers import Peer

PATIENCE = 90.0
"""Seconds after which a supervisor is given up."""


class Running:
    """The supervisor, and the processes below it."""

    def __init__(self, peer: Peer, folder: Path, command: list[str], program: str) -> None:
        self.peer = peer
        self.folder = folder
        self.program = program[:15]
        self.census = Census(program)
        self.began = time.perf_counter()
        with (folder / "messages").open("wb") as messages:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=messages,
                stderr=subprocess.STDOUT,
                cwd=folder,  # where no Python that runs `-c` finds our modules for its own
                start_new_session=True,  # Ctrl-C is for us
            )

    def up(self, count: int) -> float:
        """Seconds from the start of the supervisor until as many workers run."""
        try:
            self.census.reach(count, within=PATIENCE)
        except TooSlow as error:
            raise TooSlow(f"{error}; {self.last_words()}") from error
        return time.perf_counter() - self.began

    def stop(self) -> float:
        """Seconds until it and all workers have ended, asked for by its signal."""
        began = time.perf_counter()
        self._process.send_signal(self.peer.stop_signal)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise TooSlow(f"does not end; {self.last_words()}") from None
        wait_for(self._all_gone, within=PATIENCE)
        return time.perf_counter() - began

    def _all_gone(self) -> bool:
        reap()
        return self.census.count() == 0

    def supervisors(self) -> list[int]:
        """The pids of all but the workers."""
        root = self._process.pid
        return [root, *(pid for pid in below(root) if comm(pid) != self.program)]

    def last_words(self) -> str:
        """The last line that it wrote."""
        lines = (self.folder / "messages").read_text(errors="replace").split("\n")
        return next((line.strip()[:150] for line in reversed(lines) if line.strip()), "silent")

    def close(self) -> None:
        """Kill whatever is left."""
        kill([self._process.pid, *below(self._process.pid)] if self._process.poll() is None else ())
        self._process.wait()
        reap()


@contextlib.contextmanager
def running(peer: Peer, load: Load, folder: Path) -> Iterator[Running]:
    """A supervisor with a load, killed at the end if it still runs."""
    found = Running(peer, folder, peer.prepare(load, folder), load.program)
    try:
        yield found
    finally:
        found.close()
