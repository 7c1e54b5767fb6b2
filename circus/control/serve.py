"""The server end of an engine: its sockets, with whoever may use them let in."""

from __future__ import annotations

import logging
import os
import socket
from functools import partial
from typing import TYPE_CHECKING

from circus.access import others
from circus.aside import aside
from circus.commands.admission import general_role
from circus.commands.answer import dispatch
from circus.control.access import Curve, Gate, ownership
from circus.control.keys import server_secret
from circus.control.server import ControlServer
from circus.endpoints import ipc_path
from circus.exc import CircusError
from circus.host.survey import survey_access

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable

    from circus.access import Others
    from circus.config.model import Config
    from circus.endpoints import Endpoints
    from circus.engine import Engine
    from circus.events import Events
    from circus.host.socketfile import Access

    Where = Callable[[str, str], str]

logger = logging.getLogger(__name__)


class Standing:
    """The server end of one engine or, when it is `lasting`, of one after the other.

    No connection and no event is lost between two of them, and whoever made it closes it in the
    end.
    """

    def __init__(self, *, lasting: bool = False) -> None:
        self._lasting = lasting
        self._server: ControlServer | None = None
        self._fits: object | None = None
        self._events: Events | None = None
        """Those of the engine before, which its next one goes on with."""

    def serve(
        self, engine: Engine, endpoints: Endpoints, where: Where, listening: int | None = None
    ) -> ControlServer:
        """Answer for an engine, soon, and publish its events. Raises CircusError.

        It may block, at the start. `where` says where an option was written. `listening` is the
        control socket when systemd has opened it; the descriptor stays the caller's.
        """
        config = engine.config
        for problem in survey_access(config.circus, config.watchers.values(), where):
            logger.warning("Nobody is let in: %s", problem)
        named = others(config.circus, config.watchers.values())
        keys = curve(config)
        gate = Gate(engine.loop, lambda peer: general_role(engine, peer) is not None, keys)
        # whoever was let in by other rules has to come anew; and keys stay in the sockets
        server = self._left(None if keys else (endpoints, named))
        handle = partial(dispatch, engine)
        if server is not None:
            _give(server, ownership(named))
            server.resume(handle, engine.loop, gate)
        else:
            server = ControlServer(
                endpoints.control,
                endpoints.pubsub,
                handle,
                loop=engine.loop,
                gate=gate,
                access=ownership(named),
                listening=None if listening is None else _at(listening, endpoints.control),
            )
            server.start()
        self._server = server
        if self._events is not None:
            engine.events.go_on(self._events)
        self._events = engine.events
        # a port that was left open is a number by now; else it stays as it was written
        engine.endpoint = _chosen(engine.endpoint, server.endpoint)
        engine.pubsub_endpoint = _chosen(engine.pubsub_endpoint, server.pubsub_endpoint)
        logger.info("Control is at %s, events are at %s", server.endpoint, server.pubsub_endpoint)
        engine.followers.append(lambda _: self._follow(engine, server, named))
        return server

    def leave(self, *, again: bool) -> None:
        """The engine has ended. If there is to be another, what is asked waits for it."""
        if again and self._lasting and self._server is not None:
            self._server.pause()
        else:
            self.close()

    def close(self) -> None:
        """There is no other one."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _left(self, fits: object | None) -> ControlServer | None:
        """What the engine before has left, if it stands for the same; else that is closed.

        None is the same as nothing.
        """
        if fits is None or fits != self._fits:
            self.close()
        self._fits = fits
        return self._server

    def _follow(self, engine: Engine, server: ControlServer, first: Others) -> None:
        """Open the files of the sockets as wide as it takes by now, for those who are named.

        `first` are those at the start.
        """
        config = engine.config
        watchers = [*config.watchers.values(), *(one.config for one in engine.watchers)]
        named = others(config.circus, watchers)
        if named != first:
            self._fits = None  # some may have come in who may not in another life
        found = aside(engine.loop, lambda: ownership(named))

        def give(future: Future[Access]) -> None:
            try:
                server.give(future.result())
            except (CircusError, OSError) as error:
                logger.warning("Cannot let others open the sockets: %s", error)

        found.add_done_callback(give)


def _at(fd: int, endpoint: str) -> int:
    """One more descriptor of a socket that has to be at this endpoint. Raises CircusError."""
    with socket.socket(fileno=os.dup(fd)) as sock:
        place = sock.getsockname()
        if sock.family != socket.AF_UNIX or place != ipc_path(endpoint):
            raise CircusError(
                f"the control socket that systemd handed over is at {place}, and the endpoint is "
                f"{endpoint}: let ListenStream= of the socket unit say the same, or disable it"
            )
        sock.settimeout(0)
        return sock.detach()


def _give(server: ControlServer, access: Access) -> None:
    try:
        server.give(access)
    except OSError as error:
        raise CircusError(f"cannot let others open the sockets: {error.strerror}") from error


def _chosen(wanted: str, bound: str) -> str:
    return bound if wanted.endswith((":*", ":0")) else wanted


def curve(config: Config) -> Curve | None:
    """What `curve = True` takes. Raises CircusError when the keys are not there. Reads files."""
    folder = config.keys_folder
    return None if folder is None else Curve(server_secret(folder), folder)
