"""Runs an engine: from a file as circusd does, or from objects inside any program.

An arbiter with a loop of its own blocks in `start` until it is stopped. Signals come to it in the
main thread only, and those that the program handles itself do not; they are given back at the end.
Children that the program started itself, and its logging, are left alone.
"""

from __future__ import annotations

import asyncio
import atexit
import dataclasses
import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from circus.config.assemble import assemble
from circus.config.load import load
from circus.endpoints import daemon_endpoints
from circus.engine import Engine
from circus.exc import AlreadyExist, ConflictError, NoWatcher
from circus.face import ArbiterSurface
from circus.service import Service
from circus.sockets import CircusSocket, CircusSockets
from circus.systemd import Handed
from circus.threads import Door, Outcome, asked_in_loop
from circus.userloop import UserLoop, asyncio_loop_of
from circus.watcher import Result, Watcher

if TYPE_CHECKING:
    from circus.config.model import Config
    from circus.config.schema import Problem
    from circus.control.serve import Standing
    from circus.userloop import TornadoLoop

    Started = Callable[[Result], object]
    Sockets = Iterable[CircusSocket | Mapping[str, object]] | Mapping[str, CircusSocket]


logger = logging.getLogger(__name__)


class Arbiter(ArbiterSurface):
    """Runs watchers, takes commands at `endpoint`, publishes events at `pubsub_endpoint`.

    Without endpoints it uses the usual private ones. Watchers and sockets are objects or mappings
    of options, plugins mappings; sockets may be a mapping of them by name, too. `options` are those
    of `[circus]`. `adopt`: this process does
    nothing else, so every orphan and child of it is the arbiter's. Raises ConfigError.

    Actions answer with an `Outcome`; they and all questions may come from any thread. Those that
    come before the start are carried out then.
    """

    def __init__(
        self,
        watchers: Iterable[Watcher | Mapping[str, object]],
        endpoint: str | None = None,
        pubsub_endpoint: str | None = None,
        check_delay: float = 1.0,
        prereload_fn: Callable[[Any], object] | None = None,
        context: object = None,
        loop: asyncio.AbstractEventLoop | TornadoLoop | None = None,
        *,
        sockets: Sockets | None = None,
        plugins: Iterable[Mapping[str, object]] | None = None,
        proc_name: str = "circusd",
        ssh_server: str | None = None,
        adopt: bool = False,
        **options: object,
    ) -> None:
        self._watchers = [
            one if isinstance(one, Watcher) else Watcher.load_from_config(one) for one in watchers
        ]
        given = sockets.values() if isinstance(sockets, Mapping) else sockets or ()
        self._sockets = [
            one if isinstance(one, CircusSocket) else CircusSocket.load_from_config(one)
            for one in given
        ]
        config = assemble(
            {
                "endpoint": endpoint,
                "pubsub_endpoint": pubsub_endpoint,
                "check_delay": check_delay,
                "ssh_server": ssh_server,
                **options,
            },
            [watcher.config for watcher in self._watchers],
            [sock.config for sock in self._sockets],
            plugins or (),
        )
        self.door = Door()
        self.loop = UserLoop(self.door)
        self.pid = os.getpid()
        self.proc_name = proc_name
        self.prereload_fn = prereload_fn
        self.adopt = adopt
        self.handed = Handed()
        """What systemd gave this process, when it is the service."""
        self.standing: Standing | None = None
        """What keeps the endpoints open between two lives."""
        self.warnings: tuple[Problem, ...] = ()
        self._where: Callable[[str, str], str] = lambda section, _key: section
        self._given_loop = asyncio_loop_of(loop)
        self._engine: Engine | None = None
        self._over: Outcome[dict[str, Any]] = Outcome()
        self._stop_asked = False
        self._has_ended = False
        self._restarting = False
        self._take(config)

    @classmethod
    def load_from_config(
        cls,
        config_file: str,
        loop: asyncio.AbstractEventLoop | TornadoLoop | None = None,
        *,
        adopt: bool = False,
    ) -> Self:
        """What a file asks for. Raises ConfigError with everything that is wrong with it."""
        loaded = load(os.path.abspath(config_file), os.environ)
        arbiter = cls([], loop=loop, adopt=adopt)
        arbiter.warnings = loaded.warnings
        arbiter._where = loaded.where
        arbiter._watchers = [Watcher.from_config(one) for one in loaded.config.watchers.values()]
        arbiter._take(loaded.config)
        return arbiter

    def _take(self, config: Config) -> None:
        circus = config.circus
        self.config = config
        self.endpoint, self.pubsub_endpoint, self.stats_endpoint = daemon_endpoints(
            circus, os.environ, os.geteuid()
        )
        self.check_delay = circus.check_delay
        self.multicast_endpoint = circus.multicast_endpoint
        self.ssh_server = circus.ssh_server
        self.endpoint_owner = circus.endpoint_owner
        self.warmup_delay = circus.warmup_delay
        self.umask = circus.umask
        # for the program: it writes the file and sets logging up if it wants to
        self.pidfile = circus.pidfile
        self.loglevel = circus.loglevel
        self.logoutput = circus.logoutput
        self.loggerconfig = circus.loggerconfig

    # -- life ------------------------------------------------

    def start(self, cb: Started | None = None) -> Outcome[bool]:
        """Run until `stop`; True asks for a start from anew. Raises CircusError.

        `cb` gets the outcome of the start of the watchers. With a loop given it returns at once,
        and what it returns is there when the watchers have started.
        """
        self._has_ended = False
        self._restarting = False
        again = False
        up: Outcome[bool] = Outcome()
        if self._given_loop is not None:
            life = self._live(self._service(self._given_loop, signals=False), cb, up)
            asyncio.run_coroutine_threadsafe(life, self._given_loop).add_done_callback(up.take_over)
            return up
        with asyncio.Runner() as runner:
            # its signals before the runner's: that would end us in the middle of things
            service = self._service(runner.get_loop(), signals=True)
            try:
                again = runner.run(self._live(service, cb, up))
            finally:
                self._restarting = not service.close() and again
        return Outcome.settled(self._restarting)

    def initialize(self) -> None:
        """Called when commands are taken, before watchers are started; for subclasses.

        In the loop's thread, so it must not block.
        """

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._engine is not None

    def _opened(self) -> None:
        """Commands are taken."""

    def _service(self, loop: asyncio.AbstractEventLoop, *, signals: bool) -> Service:
        watchers = {one.name.lower(): one.config for one in self._watchers}
        engine = Engine(
            dataclasses.replace(self.config, watchers=dict(sorted(watchers.items()))),
            loop,
            endpoint=self.endpoint,
            pubsub_endpoint=self.pubsub_endpoint,
            stats_endpoint=self.stats_endpoint,
            adopt=self.adopt,
            ready=self._watchers,
        )
        open_ones = {sock.name.lower(): sock for sock in self._sockets if sock.fileno() >= 0}
        CircusSockets(
            {name: sock for name, sock in open_ones.items() if not sock.is_bound}
        ).bind_and_listen_all()
        engine.sockets.update(open_ones)
        engine.face = self
        return Service(engine, self._where, self.handed, signals=signals, standing=self.standing)

    async def _live(self, service: Service, cb: Started | None, up: Outcome[bool]) -> bool:
        engine = service.engine
        self._over = Outcome()

        for warning in self.warnings:
            logger.warning("%s", warning)

        def opened() -> None:
            self._engine = engine
            self.door.open(engine.loop)
            if self._stop_asked:
                engine.quit()
            self.initialize()
            self._opened()

        def started(start: Result) -> None:
            start.add_done_callback(lambda _: None if up.done() else up.set_result(False))
            if cb is not None:
                start.add_done_callback(lambda _: cb(start))

        try:
            return await service.run(opened, started)
        finally:
            self._engine = None
            self._stop_asked = False
            self._has_ended = True
            self.door.close()
            self._over.set_result({})

    def stop(self) -> Outcome[dict[str, Any]]:
        """Stop every watcher, then end; it comes to nothing but that.

        Before a start: let that end at once.
        """
        self._stop_asked = not self._has_ended
        engine = self._engine
        if engine is None:
            return Outcome.settled({})
        self.door.act(engine.quit)
        return self._over

    def _emergency_stop(self) -> Outcome[dict[str, Any]]:
        """Kill whatever still runs, then end; AiiDA calls it."""
        engine = self._engine
        if engine is not None:

            def end_now() -> None:
                engine.quit()
                engine.hurry()

            self.door.post(end_now)  # before `stop`, which may wait for the end
        return self.stop()

    # -- what there is ------------------------------------------------

    @property
    def engine(self) -> Engine:
        """What runs, for the loop's thread only. Raises ConflictError while nothing does."""
        if self._engine is None:
            raise ConflictError("the arbiter does not run")
        return self._engine

    @property
    def watchers(self) -> list[Watcher]:
        """All of them."""
        engine = self._engine
        return list(self._watchers) if engine is None else self.door.ask(lambda: engine.watchers)

    @property
    def sockets(self) -> CircusSockets:
        """The managed sockets, by their names in lower case."""
        if self._engine is not None:
            return self._engine.sockets
        return CircusSockets({sock.name: sock for sock in self._sockets})

    @property
    def config_file(self) -> str | None:
        """Where it came from, unless it was made of values."""
        return self.config.path

    @property
    def endpoint_owner_mode(self) -> bool:
        """Whether a user is named who may do everything."""
        return self.endpoint_owner is not None

    def get_watcher(self, name: str) -> Watcher:
        """By name, upper or lower case. Raises KeyError."""
        for watcher in self.watchers:
            if watcher.name.lower() == name.lower():
                return watcher
        raise NoWatcher(name)

    def get_socket(self, name: str) -> CircusSocket | None:
        """By name, upper or lower case."""
        return self.sockets.get(name.lower())

    # -- watchers come and go ------------------------------------------------

    def add_watcher(self, name: str, cmd: str, **options: object) -> Watcher:
        """Take in a watcher; it is not started. Raises AlreadyExist, ConfigError."""
        watcher = Watcher(name, cmd, **options)  # type: ignore[arg-type]  # the option table reads them
        if self._engine is not None:
            self._add(watcher)
        elif any(one.name.lower() == name.lower() for one in self._watchers):
            raise AlreadyExist(f"{name!r} already exist")
        else:
            self._watchers.append(watcher)
        return watcher

    @asked_in_loop
    def _add(self, watcher: Watcher) -> None:
        self.engine.refuse_new(watcher.config)
        self.engine.take_in_ready(watcher)

    def rm_watcher(self, name: str, nostop: bool = False) -> Result:  # noqa: FBT001, FBT002
        """Stop and forget a watcher; with `nostop` its workers live on. Raises KeyError."""
        watcher = self.get_watcher(name)
        if watcher in self._watchers:
            self._watchers.remove(watcher)
        if self._engine is None:
            return Outcome.settled({})
        return self.door.act(lambda: self.engine.remove(name, nostop=nostop))


class ThreadedArbiter(Arbiter):
    """Runs in a thread of its own, from `start` to `stop` or to the end of the program."""

    _thread: threading.Thread | None = None

    def start(self, cb: Started | None = None) -> Outcome[bool]:
        """Returns when commands are taken; raises CircusError when it does not come to that.

        The outcome is there when it has been stopped.
        """
        over: Outcome[bool] = Outcome()
        self._up = threading.Event()
        self._has_ended = False
        self._thread = threading.Thread(target=self._run, args=(over, cb), daemon=True)
        self._thread.start()
        self._up.wait()
        if over.done():
            over.result()
        atexit.register(self.stop)
        return over

    def _opened(self) -> None:
        """Let `start` return."""
        self._up.set()

    def stop(self) -> Outcome[dict[str, Any]]:
        """Stop every watcher, then end; waits for the end in any other thread than its own."""
        outcome = super().stop()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
            atexit.unregister(self.stop)
        return outcome

    def _run(self, over: Outcome[bool], cb: Started | None) -> None:
        try:
            over.set_result(super().start(cb).result())
        except BaseException as error:  # noqa: BLE001 whoever has started it is who has to know
            over.set_exception(error)
        finally:
            self._up.set()
