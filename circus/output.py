"""The pipes of a watcher's workers, and the sinks that they lead to."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from circus.stream import Source, get_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circus.config.model import WatcherConfig
    from circus.process import Process
    from circus.stream import Pump, Sink


@dataclass
class Pipes:
    """Both ends of one worker's pipes, until the worker runs and the pump has them."""

    output: Output
    stdout: int | None = None
    stderr: int | None = None
    reading: dict[str, int] = field(default_factory=dict)

    def hand_over(self, process: Process) -> None:
        """Give the reading ends to the pump."""
        for name, fd in self.reading.items():
            source = Source(process.name, process.wid, process.pid, name)
            self.output.pump.attach(fd, self.output.sinks[name], source)
        self.reading.clear()


class Output:
    """Sinks are opened when the first worker needs them, and closed with the watcher."""

    def __init__(self, config: WatcherConfig, pump: Pump) -> None:
        self.pump = pump
        self.sinks: dict[str, Sink] = {}
        self._config = config

    def change(self, config: WatcherConfig) -> None:
        """New workers write to new sinks; those that run keep theirs."""
        self._config = config
        self.sinks.clear()

    @contextlib.contextmanager
    def pipes(self) -> Iterator[Pipes]:
        """Pipes for one worker. What was not handed over is closed at the end."""
        pipes = Pipes(self)
        writing: list[int] = []
        try:
            for name in self._wanted():
                reading, end = os.pipe2(os.O_CLOEXEC)
                os.set_blocking(reading, False)
                pipes.reading[name] = reading
                writing.append(end)
                setattr(pipes, name, end)
            yield pipes
        finally:
            for fd in [*writing, *pipes.reading.values()]:
                os.close(fd)

    def _wanted(self) -> list[str]:
        wanted = []
        for name in ("stdout", "stderr"):
            conf = getattr(self._config, f"{name}_stream")
            if not conf:
                continue
            if name not in self.sinks:
                sink = get_stream(conf)
                if sink is None:
                    continue
                self.sinks[name] = sink
            wanted.append(name)
        return wanted

    def close(self) -> None:
        """Forget the sinks; the pump closes them when their last pipe has ended."""
        self.sinks.clear()
        self.pump.forget(self._config.name)
