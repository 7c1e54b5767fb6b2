"""Events and statistics to a statsd server, and what looks after something now and then."""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING, Any

from circus.config.plugins import PREFIX
from circus.exc import CallError
from circus.plugins.base import CircusPlugin
from circus.plugins.emit import Statsd
from circus.plugins.figures import usage_of, workers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from circus.plugins.base import Event

logger = logging.getLogger(__name__)


class StatsdEmitter(CircusPlugin):
    """Counts each event, as `circus.APPLICATION_NAME.watcher.WATCHER.EVENT`."""

    name = "statsd"
    default_app_name = "app"

    def __init__(self, *args: Any, **config: Any) -> None:
        super().__init__(*args, **config)
        app = config.get("application_name", self.default_app_name)
        self.prefix = f"circus.{app}.watcher"
        self.statsd = Statsd(
            self.prefix,
            config.get("host", "localhost"),
            int(config.get("port", 8125)),
            float(config.get("sample_rate", 1.0)),
        )

    def handle_recv(self, data: Event) -> None:
        """Count it."""
        name, event, _ = self.split_data(data)
        self.statsd.increment(f"{name}.{event}")

    def handle_stop(self) -> None:
        """Close the socket."""
        self.statsd.stop()


class BaseObserver(StatsdEmitter):
    """Calls `look_after` every `loop_rate` seconds, and takes in no events."""

    default_app_name = "observer"

    def __init__(self, *args: Any, **config: Any) -> None:
        super().__init__(*args, **config)
        self.loop_rate = float(config.get("loop_rate", 60))
        self._restarted = ""

    def handle_init(self) -> None:
        """Begin; the first time is a `loop_rate` away, for what is looked after may be starting."""
        self.loop.keep(self._look_now_and_then())

    def handle_recv(self, data: Event) -> None:
        """Nothing."""

    def look_after(self) -> Any:
        """Do it; may be a coroutine. Never two at a time."""
        raise NotImplementedError

    def restart(self, name: str) -> None:
        """Restart a watcher."""
        self.cast("restart", name=name)
        self._restarted = name

    def waits(self) -> bool:
        """Whether what was restarted is not up yet: that is no reason to do it again."""
        if self._restarted:
            status = self.call("status", name=self._restarted)["status"]
            self._restarted = self._restarted if status in ("starting", "stopping") else ""
        return bool(self._restarted)

    async def _look_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self.loop_rate)
            try:
                found = None if self.waits() else self.look_after()
                if inspect.isawaitable(found):
                    await found
            except CallError as error:
                logger.warning("%s", error)
            except Exception:
                # the next time may be fine
                logger.exception("%s cannot look after things", self.name)


class FullStats(BaseObserver):
    """Sends what each watcher uses, as `_stats.WATCHER.…`, in the order that circus 0.19 has."""

    name = "full_stats"
    default_app_name = "app"

    def look_after(self) -> None:
        """Ask, and send."""
        answer = self.call("stats")
        if answer.get("status") != "ok":
            self.statsd.increment("_stats.error")
            return
        for name, workers in answer["infos"].items():
            if not name.startswith(PREFIX):
                for what, value in _sums(workers):
                    self.statsd.gauge(f"_stats.{name}.{what}", value)


def _sums(infos: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    found = [usage_of(info) for info in workers_of(infos)]
    yield "watchers_num", len(infos)
    cpu, percent = [one.cpu for one in found], [one.memory for one in found]
    memory = [one.memory_bytes for one in found]
    yield "cpu_max", max(cpu, default=0)
    yield "cpu_sum", sum(cpu)
    yield "mem_max", max(memory, default=0)
    yield "mem_pct_max", max(percent, default=0)
    yield "mem_pct_sum", sum(percent)
    yield "mem_sum", sum(memory)
