"""An engine and its endpoints: bound together, at work, and let go of together."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from typing import TYPE_CHECKING

from circus.aside import aside
from circus.commands.own import import_commands
from circus.config.plugins import with_plugins
from circus.config.schema import in_order
from circus.control.discovery import discovery
from circus.control.serve import Standing
from circus.endpoints import Endpoints
from circus.exc import CircusError, ConfigError
from circus.hooks import survey_hooks
from circus.host.survey import survey_console
from circus.signals import Signals
from circus.trial import survey_plugins
from circus.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from circus.config.schema import Problem
    from circus.engine import Engine
    from circus.systemd import Handed
    from circus.watcher import Result

logger = logging.getLogger(__name__)

CONTROL = "control"
"""What the descriptor of the control socket is called when systemd opens it."""
STRANGE = (
    "systemd handed over a socket named %s, and no [socket:%s] has activated = True: write one, or "
    "let FileDescriptorName= of the socket unit be the name of one, or stop that unit"
)
OPEN_TO_ALL = (
    "endpoint = %s: whoever can connect to it can run any program as root, and nobody is asked "
    "for a name; an ipc:// endpoint has permissions, and with curve = True only keys are let in"
)


class Service:
    """One life of an engine. `where` says where an option was written.

    With `signals` they come to it, when this is the main thread. `handed`: what systemd gave this
    process, and with that how to tell it how we are. `standing`: endpoints that stay open for
    another life.
    """

    def __init__(
        self,
        engine: Engine,
        where: Callable[[str, str], str],
        handed: Handed,
        *,
        signals: bool,
        standing: Standing | None = None,
    ) -> None:
        self.engine = engine
        self._standing = standing or Standing()
        self._where = where
        self._handed = handed
        told = handed.notifier
        self._unit = Unit(engine, told, handed.watchdog) if told is not None else None
        taken = signals and threading.current_thread() is threading.main_thread()
        self._signals = Signals(engine, self._reloads) if taken else None

    async def run(self, opened: Callable[[], None], started: Callable[[Result], None]) -> bool:
        """Everything between the first bind and the last close; True asks for another life.

        `opened` is called when commands are taken, `started` with the start of the watchers.
        Raises CircusError when something cannot be had; nothing is left bound then.
        """
        engine = self.engine
        logger.info("Starting master on pid %d", os.getpid())
        if not await self._code_is_there():
            return False
        if engine.reaper.adopt:  # otherwise this process is more than circusd
            await engine.trees.settle()
        endpoints = Endpoints(engine.endpoint, engine.pubsub_endpoint, engine.stats_endpoint)
        server = self._standing.serve(engine, endpoints, self._where, self._take_sockets())
        multicast = engine.config.circus.multicast_endpoint
        found_by = discovery(engine.loop, multicast, server.endpoint)
        again = False
        try:
            engine.initialize()
            if engine.sockets:
                logger.info("sockets started")
            engine.events.publish = server.publish
            _warn(engine)
            logger.info("Arbiter now waiting for commands")
            opened()
            if not engine.stopping:
                start = engine.orders.start()
                if self._unit is not None:
                    self._unit.starts(start)
                started(start)
            again = await engine.ended
            logger.info("Arbiter exiting")
            return again
        finally:
            if self._unit is not None:
                self._unit.close()
            engine.close()
            if found_by is not None:
                found_by.close()
            self._standing.leave(again=again)

    def _take_sockets(self) -> int | None:
        """Give all that systemd opened to the engine, but for the control socket, which it returns.

        Raises CircusError when nobody asked for one.
        """
        found = self._handed.by_name()
        control = found.pop(CONTROL, None)
        declared = self.engine.config.sockets
        for name in found:
            if name not in declared or not declared[name].activated:
                raise CircusError(STRANGE % (name, name))
        self.engine.sockets.handed = found
        return control

    async def _code_is_there(self) -> bool:
        """Import commands, hooks and plugins; False when somebody ends us meanwhile.

        Raises ConfigError.
        """
        engine = self.engine
        config = with_plugins(engine.config)
        hooked = [one for one in config.watchers.values() if one.hooks]
        if not hooked and not config.plugins and not config.circus.commands:
            return True

        def survey() -> list[Problem]:
            problems = import_commands(config.circus, self._where, config.path)
            problems += survey_hooks(hooked, self._where, config.path)
            return problems + survey_plugins(config, config.plugins.values(), self._where)

        look = aside(engine.loop, survey)
        await asyncio.wait((look, engine.ended), return_when=asyncio.FIRST_COMPLETED)
        if not look.done():
            return False
        if problems := look.result():
            raise ConfigError(in_order(problems))
        return True

    def _reloads(self, reload: Result) -> None:
        if self._unit is not None:
            self._unit.reloads(reload)

    def close(self) -> bool:
        """Give signals back; whether one came to end for good while all was being ended."""
        if self._signals is None:
            return False
        asked = self._signals.quit_is_asked()
        self._signals.close()
        return asked


def _warn(engine: Engine) -> None:
    for reason in survey_console(engine.config.circus):
        logger.warning("The web console (httpd): %s", reason)
    unguarded = engine.endpoint.startswith("tcp:") and not engine.config.circus.curve
    if unguarded and os.geteuid() == 0:
        logger.warning(OPEN_TO_ALL, engine.endpoint)
