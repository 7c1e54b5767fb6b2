"""What a watcher's workers write to: pipes, and the sinks that they lead to."""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from circus.aside import aside
from circus.config.code import folders
from circus.host.journal import leads_to_journal
from circus.logs import about
from circus.resolve import importing_from
from circus.stream import JournalStream, Source, get_stream
from circus.stream.conf import made_at_once

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator, Mapping

    from circus.config.model import WatcherConfig
    from circus.engine import Engine
    from circus.process import Process
    from circus.stream import Sink

    Confs: TypeAlias = dict[str, Mapping[str, Any]]

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
    """Sinks are made when the first worker needs them, and closed with the watcher.

    In the loop's thread; files are opened, and classes of others called, in another.
    """

    def __init__(
        self,
        config: WatcherConfig,
        engine: Engine,
        made: Callable[[BaseException | None], None],
    ) -> None:
        """`made` is called when `ready` may say so, or with the reason why it will not."""
        self.pump = engine.pump
        self.sinks: dict[str, Sink] = {}
        self._engine = engine
        self._config = config
        self._made = made
        self._making: Confs | None = None

    def change(self, config: WatcherConfig, *, running: bool) -> None:
        """This counts from now on; workers that are `running` are led to other sinks."""
        before, self._config = self._config, config
        for name in INHERITED:
            if getattr(before, f"{name}_stream") != getattr(config, f"{name}_stream"):
                self.sinks.pop(name, None)
                self._making = None
        if running and (wanted := self._wanted()):
            self._make(wanted)

    def ready(self) -> bool:
        """Whether there are `pipes` at once. If not, what is missing is made."""
        wanted = self._wanted()
        if all(map(made_at_once, wanted.values())):
            return True
        if self._making is None:
            self._make(wanted)
        return False

    @contextlib.contextmanager
    def pipes(self) -> Iterator[Pipes]:
        """Pipes for one worker. What was not handed over is closed at the end."""
        pipes = Pipes(self)
        writing: list[int] = []
        try:
            self._take(_sinks(self._wanted()))
            for name, sink in self.sinks.items():
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

    def _wanted(self) -> Confs:
        """The streams that have no sink yet."""
        found = {}
        for name in INHERITED:
            conf = getattr(self._config, f"{name}_stream")
            if not conf and not getattr(self._config, f"close_child_{name}"):
                conf = unless_given(name, journal=self._engine.config.circus.journal)
            if conf and name not in self.sinks:
                found[name] = conf
        return found

    def _make(self, wanted: Confs) -> None:
        self._making = wanted
        where = folders(self._config, self._engine.config.path)

        def make() -> dict[str, Sink]:
            with importing_from(where):
                return _sinks(wanted)

        making = aside(self._engine.loop, make)
        making.add_done_callback(lambda made: self._on_made(wanted, made))

    def _on_made(self, wanted: Confs, made: asyncio.Future[dict[str, Sink]]) -> None:
        error = made.exception()
        if self._making is not wanted:  # they are for a configuration that no longer counts
            return
        self._making = None
        if error is None:
            self._take(made.result())
        self._made(error)

    def _take(self, sinks: dict[str, Sink]) -> None:
        """Workers write to these from now on, also those that run, as far as circusd reads them."""
        self.sinks.update(sinks)
        for name, sink in sinks.items():
            self.pump.change(self._config.name, name, sink)

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
        self._making = None
        self.sinks.clear()
        self.pump.forget(self._config.name)


def _sinks(confs: Confs) -> dict[str, Sink]:
    """Raises CircusError. May block, see `made_at_once`."""
    made = {name: get_stream(conf) for name, conf in confs.items()}
    return {name: sink for name, sink in made.items() if sink is not None}


def unless_given(name: str, *, journal: bool | None) -> Mapping[str, str]:
    """The stream of a worker that has none; empty when it shall write to where we do.

    The journal, when [circus] says so with `journal`; if it says nothing, when our own descriptor
    is a stream that systemd has opened there.
    """
    if journal is None:
        journal = leads_to_journal(INHERITED[name], os.environ.get("JOURNAL_STREAM"))
    return {"class": "JournalStream"} if journal else {}
