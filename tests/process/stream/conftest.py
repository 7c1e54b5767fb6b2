"""A pump, children that write to it, and the check that nothing of it is left."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from circus.stream import Pump, Source
from circus.stream.beside import beside
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from circus.stream import Sink
    from circus.stream.beside import Beside


@dataclass
class Bench:
    """One pump, everything it said, and the children whose output it reads."""

    pump: Pump
    told: list[str] = field(default_factory=list)
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(
        self, program: str, *arguments: str, sink: Sink, errors: Sink | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a Python program with its stdout, and perhaps its stderr, on the pump."""
        reading, writing = os.pipe2(os.O_CLOEXEC)
        pipes = [(reading, sink, "stdout")]
        ends = [writing]
        if errors is not None:
            reading, writing = os.pipe2(os.O_CLOEXEC)
            pipes.append((reading, errors, "stderr"))
            ends.append(writing)
        child = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", program, *arguments],
            stdin=subprocess.PIPE,
            stdout=ends[0],
            stderr=ends[-1] if errors is not None else None,
        )
        self.children.append(child)
        for fd in ends:
            os.close(fd)
        for fd, where, name in pipes:
            self.pump.attach(fd, where, Source("w", len(self.children), child.pid, name))
        return child

    def pipe(self, sink: Sink, pid: int = 1, name: str = "stdout") -> int:
        """The writing end of a pipe that the test itself writes to."""
        reading, writing = os.pipe2(os.O_CLOEXEC)
        self.pump.attach(reading, sink, Source("w", pid, pid, name))
        return writing

    def feed(self, sink: Sink, data: bytes, pid: int = 1) -> None:
        """Write all of it into a pipe of its own, then close that."""
        with open(self.pipe(sink, pid), "wb") as file:
            file.write(data)

    def finish(self) -> None:
        """Wait for the children and for the end of all they wrote."""
        for child in self.children:
            if child.stdin is not None:
                child.stdin.close()
            child.wait()
            self.pump.ended(child.pid)
        self.children.clear()
        self.pump.close(within=60.0)


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A pump that runs. At the end there is no child, descriptor or thread left."""
    with bench_of("thread") as one:
        yield one


def bench_of(backend: str) -> contextlib.AbstractContextManager[Bench]:
    """The same with sinks in what `stream_backend` says."""
    return bench_in(lambda: beside(backend))


@contextlib.contextmanager
def bench_in(lanes_in: Callable[[], Beside]) -> Iterator[Bench]:
    """The same with sinks in what this makes."""
    before = _descriptors()
    told: list[str] = []
    pump = Pump(lambda trouble: told.append(str(trouble)), lanes_in=lanes_in(), let_go=0.2)
    pump.start()
    one = Bench(pump, told)
    yield one
    for child in one.children:
        child.kill()
    one.finish()
    # fewer are right, too: what a test before left to be collected may be gone by now
    wait_until(lambda: _descriptors() <= before, within=5.0)


def _descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))
