"""An arbiter that does nothing and remembers what it was asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from circus.audit import Audit
from circus.config.mapping import watcher_from_mapping
from circus.config.model import CircusConfig
from circus.events import Events
from circus.exc import NotFound
from circus.tickets import Tickets

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from circus.engine import Engine


class FakeWatcher:
    """Two workers, both fine."""

    def __init__(self, engine: FakeEngine, name: str, **options: object) -> None:
        self.engine = engine
        self.config = watcher_from_mapping(name, {"cmd": "sleep 1", **options})
        self.name = name
        self.numprocesses = 2
        self.generation = 3
        self.halted = ""
        self.unlimited = ""

    def __len__(self) -> int:
        return 2

    def pids(self) -> list[int]:
        return [11, 12]

    def status(self) -> str:
        return "active"

    def info(self) -> dict[str, Any]:
        return {"11": {"pid": 11}}

    def process_info(self, pid: int) -> dict[str, Any]:
        return {"pid": pid}

    def why(self, wid: int | None = None) -> list[dict[str, Any]]:
        if wid not in (None, 1):
            raise NotFound(f"worker {wid} not found in {self.name!r}")
        slot = {"wid": 1, "state": "ready", "since": 3.0, "pid": 11, "what": "running"}
        return [{**slot, "last": "", "next": "nothing", "failures": 0, "restarts": 0}]

    def until(self, condition: str) -> asyncio.Future[Any]:
        return self.engine.note("until", self.name, condition)

    def incr(self, nb: int = 1) -> asyncio.Future[Any]:
        return self.engine.note("incr", self.name, nb)

    def decr(self, nb: int = 1) -> asyncio.Future[Any]:
        return self.engine.note("decr", self.name, nb)

    def kill(self, *arguments: object) -> asyncio.Future[Any]:
        return self.engine.note("kill", self.name, *arguments)

    def signal(self, signum: int, **which: object) -> None:
        self.engine.asked.append(("signal", self.name, signum, which))


@dataclass
class FakeSocket:
    """`waiting` is its queue, None when it has none."""

    fd: int
    name: str
    backlog: int
    path: str | None = None
    host: str = "localhost"
    port: int = 8080
    so_reuseport: bool = False
    waiting: int | None = None

    def queue(self) -> int | None:
        return self.waiting


class FakeEngine:
    """Every action is pending until the test decides on `futures`."""

    endpoint = "ipc:///control"
    pubsub_endpoint = "ipc:///pubsub"
    stats_endpoint = "ipc:///stats"
    check_delay = 5.0

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.asked: list[tuple[Any, ...]] = []
        self.futures: list[asyncio.Future[Any]] = []
        self.watchers = [
            FakeWatcher(self, "Web", env={"A": "1"}),
            FakeWatcher(self, "one", singleton=True),
        ]
        self.sockets = {
            "b": FakeSocket(5, "b", 3, path="/b", waiting=1),
            "a": FakeSocket(4, "a", 2, host="::", port=80),
            "c": FakeSocket(6, "c", 2, host="::", port=81, so_reuseport=True),
        }
        self.config = SimpleNamespace(circus=CircusConfig())
        self.audit = Audit(loop)
        self.tickets = Tickets()
        self.events = Events()
        self.pump = SimpleNamespace(counts=dict)

    def note(self, *what: Any) -> asyncio.Future[Any]:
        self.asked.append(what)
        future: asyncio.Future[Any] = self.loop.create_future()
        self.futures.append(future)
        return future

    def get_watcher(self, name: str) -> FakeWatcher:
        for watcher in self.watchers:
            if watcher.name.lower() == name.lower():
                return watcher
        raise NotFound(f"program {name} not found")

    def match(self, name: str, how: str) -> list[FakeWatcher]:
        self.asked.append(("match", name, how))
        return [self.get_watcher(name)]

    def waits_for(self, watcher: FakeWatcher) -> str:
        return ""

    def numprocesses(self) -> int:
        return 4

    def statuses(self) -> dict[str, str]:
        return {watcher.name: watcher.status() for watcher in self.watchers}

    def info(self) -> dict[str, Any]:
        return {"pid": 1}

    def accept(self, verb: str, *arguments: object) -> asyncio.Future[Any]:
        """What has been looked into already, and is taken on."""
        accepted = self.loop.create_future()
        accepted.set_result(self.note(verb, *arguments))
        return accepted

    def start(self, watchers: Any = None) -> asyncio.Future[Any]:
        return self.note("start", watchers and [one.name for one in watchers])

    def stop(self, watchers: Any = None) -> asyncio.Future[Any]:
        return self.note("stop", watchers and [one.name for one in watchers])

    def restart(self, watchers: Any) -> asyncio.Future[Any]:
        return self.note("restart", [one.name for one in watchers])

    def restart_daemon(self) -> asyncio.Future[Any]:
        return self.accept("restart_daemon")

    def reload(self, watchers: Any = None, **how: object) -> asyncio.Future[Any]:
        return self.note("reload", watchers and [one.name for one in watchers], how)

    def add(self, config: Any, *, start: bool) -> asyncio.Future[Any]:
        return self.note("add", config, start)

    def remove(self, name: str, *, nostop: bool) -> asyncio.Future[Any]:
        return self.note("remove", name, nostop)

    def keep(self, work: Coroutine[Any, Any, Any]) -> asyncio.Future[Any]:
        work.close()
        return self.note("keep")

    @property
    def changes(self) -> FakeEngine:
        return self

    @property
    def orders(self) -> FakeEngine:
        return self

    def change(self, name: str, options: dict[str, Any]) -> asyncio.Future[Any]:
        return self.accept("change", name, options)

    def reload_config(self, *, reset: bool) -> asyncio.Future[Any]:
        return self.accept("reload_config", reset)

    def roll_back(self) -> asyncio.Future[Any]:
        return self.accept("roll_back")

    def quit(self) -> asyncio.Future[Any]:
        return self.note("quit")

    def as_engine(self) -> Engine:
        # the part of it that commands use
        return cast("Engine", self)
