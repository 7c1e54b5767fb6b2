"""What a watcher's workers write to: pipes, and the sinks that they lead to."""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from circus.host.journal import leads_to_journal
from circus.logs import about
from circus.stream import JournalStream, Source, get_stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from circus.config.model import WatcherConfig
    from circus.process import Process
    from circus.stream import Pump, Sink

logger = logging.getLogger(__name__)

INHERITED = {"stdout": 1, "stderr": 2}
"""The descriptors of ours that a worker would write to."""


@dataclass
class Pipes:
    """Both ends of one worker's pipes, until the worker runs and the pump has them."""

    output: Output
    stdout: int | None = None
    stderr: int | None = None
    reading: dict[str, int] = field(default_factory=dict)

    def hand_over(self, process: Process, generation: int) -> None:
        """Give the reading ends to the pump."""
        for name, fd in self.reading.items():
            source = Source(process.name, process.wid, process.pid, name, generation)
            self.output.pump.attach(fd, self.output.sinks[name], source)
        self.reading.clear()


class Output:
    """Sinks are opened when the first worker needs them, and closed with the watcher."""

    def __init__(
        self, config: WatcherConfig, pump: Pump, journal: Callable[[], bool | None]
    ) -> None:
        """`journal`: what [circus] says about output that has no stream, see `unless_given`."""
        self.pump = pump
        self._journal = journal
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
            for name, sink in self._wanted():
                end = self._direct(name, sink)
                if end is None:
                    reading, end = os.pipe2(os.O_CLOEXEC)
                    os.set_blocking(reading, False)
                    pipes.reading[name] = reading
                writing.append(end)
                setattr(pipes, name, end)
            yield pipes
        finally:
            for fd in [*writing, *pipes.reading.values()]:
                os.close(fd)

    def _wanted(self) -> Iterator[tuple[str, Sink]]:
        for name in INHERITED:
            conf = getattr(self._config, f"{name}_stream")
            if not conf and not getattr(self._config, f"close_child_{name}"):
                conf = unless_given(name, journal=self._journal())
            if not conf:
                continue
            sink = self.sinks[name] if name in self.sinks else get_stream(conf)
            if sink is not None:
                self.sinks[name] = sink
                yield name, sink

    def _direct(self, name: str, sink: Sink) -> int | None:
        """A way to the journal that does not lead through us, if that is wanted and to be had."""
        if not isinstance(sink, JournalStream) or not sink.direct:
            return None
        try:
            return sink.open_direct(self._config.name)
        except OSError as error:
            reason = error.strerror or error
            watcher = self._config.name
            text = "%s: %s goes to the journal through circusd, not direct: %s"
            logger.warning(text, watcher, name, reason, extra=about(watcher))
            return None

    def close(self) -> None:
        """Forget the sinks; the pump closes them when their last pipe has ended."""
        self.sinks.clear()
        self.pump.forget(self._config.name)


def unless_given(name: str, *, journal: bool | None) -> Mapping[str, str]:
    """The stream of a worker that has none; empty when it shall write to where we do.

    The journal, when [circus] says so with `journal`; if it says nothing, when our own descriptor
    is a stream that systemd has opened there.
    """
    if journal is None:
        journal = leads_to_journal(INHERITED[name], os.environ.get("JOURNAL_STREAM"))
    return {"class": "JournalStream"} if journal else {}
