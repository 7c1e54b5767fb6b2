"""What plugins are made of: `CircusPlugin`."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import json
import logging
import signal
from typing import TYPE_CHECKING, Any

import zmq

from circus.client import TIMED_OUT, CircusClient, cast_message, make_message
from circus.exc import CallError
from circus.hearing import hear, hear_no_more
from circus.plugins.loop import PluginLoop
from circus.reach import Reach
from circus.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from circus.client import Reply

logger = logging.getLogger(__name__)

ENDS = (signal.SIGTERM, signal.SIGINT)

Event = list[bytes]
"""Topic and message, which is JSON."""


class CircusPlugin:
    """Sees every event of circusd, and sends it commands. One process runs one plugin.

    `config` are the options of its section as text, and `name`, the name of its watcher. `loop`
    runs `handle_init`, `handle_recv` and `handle_stop`; who blocks in there blocks this plugin and
    nobody else. `timeout`: seconds that `call` waits for an answer.
    """

    name = ""
    timeout = 5.0

    def __init__(
        self,
        endpoint: str,
        pubsub_endpoint: str,
        check_delay: float,
        ssh_server: str | None = None,
        **config: Any,
    ) -> None:
        self.endpoint = endpoint
        self.pubsub_endpoint = pubsub_endpoint
        self.check_delay = check_delay
        self.ssh_server = ssh_server
        self.config = config
        self.active = is_on(config.get("active", True))
        self.daemon = True
        self.running = False
        self.loop = PluginLoop()
        self._over = asyncio.Event()
        self._reach = Reach(ssh_server, curve_key=config.get("curve_key"), lost=self._on_lost)
        self._lost = ""
        self.substream: Subscription | None = None

    # -- for subclasses ------------------------------------------------

    def handle_init(self) -> Awaitable[None] | None:
        """Called in the loop before the first event; may be a coroutine, as `handle_stop` may."""
        return None

    def handle_recv(self, data: Event) -> None:
        """Called with each event."""
        raise NotImplementedError

    def handle_stop(self) -> Awaitable[None] | None:
        """Called before the plugin ends."""
        return None

    # -- commands ------------------------------------------------

    def call(self, command: str, **props: Any) -> Reply:
        """Send a command, and block until the answer comes. Raises CallError.

        The answer is a mapping, also when circusd says no.
        """
        try:
            return self.client.call(make_message(command, **props))
        except CallError as error:
            if str(error) != TIMED_OUT:
                raise
            say = f"circusd did not answer {command!r} within {self.timeout:g} s"
            raise CallError(f"{say}, at {self.endpoint}") from error

    def cast(self, command: str, **props: Any) -> None:
        """Send a command that circusd does not answer."""
        self.client.call(cast_message(command, **props))

    @functools.cached_property
    def client(self) -> CircusClient:
        """What talks to circusd; connected when it is first needed. Raises CallError."""
        return CircusClient(self.context, self.endpoint, self.timeout, reach=self._reach)

    @functools.cached_property
    def context(self) -> zmq.Context[zmq.Socket[bytes]]:
        """ZeroMQ's, for all of this plugin's sockets."""
        return zmq.Context()

    @property
    def sub_socket(self) -> zmq.Socket[bytes] | None:
        """The one that events come by, once it is there."""
        return None if self.substream is None else self.substream.socket

    # -- what is in an event ------------------------------------------------

    @staticmethod
    def split_data(data: Sequence[bytes | str]) -> tuple[str, str, bytes | str]:
        """The watcher's name, as topics have it, what happened to it, and the message."""
        topic, message = data
        text = topic.decode("utf-8", "replace") if isinstance(topic, bytes) else topic
        # a name may have dots in it
        name, _, action = text.partition(".")[2].rpartition(".")
        return name, action, message

    def watcher_of(self, name: str) -> str:
        """The watcher whose events have this name: blanks are not in a topic. Raises CallError."""
        known = self.call("list")["watchers"] if "_" in name else []
        return next((one for one in known if one.replace(" ", "_") == name), name)

    @staticmethod
    def load_message(msg: bytes | str) -> Any:
        """What a message holds."""
        return json.loads(msg)

    # -- life ------------------------------------------------

    def start(self) -> None:
        """Run until `stop`, SIGTERM or SIGINT. Raises ValueError when it is not active, CallError.

        That is what it raises, too, when its connection through ssh ends: who runs it starts it
        again. Signals come only in the main thread.
        """
        if not self.active:
            raise ValueError("Will not start an inactive plugin")
        try:
            self.loop.run(self._live())
        finally:
            self.running = False
            self._close()

    async def _live(self) -> None:
        hear(self.loop.asyncio_loop, ENDS, self.stop)
        self.running = True
        await _done(self.handle_init())
        if not self._over.is_set():
            self.initialize()
        await self._over.wait()
        if self.substream is not None:  # it is not to be given events when it has been told to end
            self.substream.close()
        try:
            await _done(self.handle_stop())
        finally:
            hear_no_more(ENDS)
            if self._lost:  # whatever that has failed with
                raise CallError(self._lost) from None

    def _on_lost(self, reason: str) -> None:
        """From a thread of the connection through ssh; by then the loop may have ended."""
        with contextlib.suppress(RuntimeError):
            self.loop.add_callback(self._lose, reason)

    def _lose(self, reason: str) -> None:
        self._lost = reason
        self._over.set()

    def initialize(self) -> None:
        """Subscribe to events."""
        self.substream = Subscription(
            self.context, self.pubsub_endpoint, self._reach, self.loop.asyncio_loop, self._received
        )

    def _received(self, data: Event) -> None:
        try:
            self.handle_recv(data)
        except CallError as error:
            logger.warning("%s", error)
        except Exception:
            # the next event may be fine
            logger.exception("%s cannot handle an event", self.name or type(self).__name__)

    def stop(self) -> None:
        """End; from another thread, through `loop.add_callback`."""
        if not self.running:
            self.loop.close()
        else:
            self._over.set()

    def _close(self) -> None:
        if self.substream is not None:
            self.substream.close()
        if "client" in self.__dict__:
            self.client.stop()
        self._reach.close()
        if "context" in self.__dict__:
            self.context.destroy(linger=0)
        self.loop.close()  # at the end of Python its parts might go before it


async def _done(found: object) -> None:
    if inspect.isawaitable(found):
        await found


def is_on(value: object) -> bool:
    """What an option that is on or off says."""
    return str(value).strip().lower() not in ("false", "no", "off", "0")
