"""One process that looks around once a second, as long as anybody wants to know."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from circus.client import AsyncCircusClient
from circus.exc import CallError
from circus.stats import messages
from circus.stats.hits import Hits
from circus.stats.roster import NOBODY, ask
from circus.stats.sampler import Sampler
from circus.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import zmq

    from circus.reach import Reach
    from circus.stats.publisher import Publisher
    from circus.stats.roster import Roster

PERIOD = 1.0
"""Seconds between two rounds."""
PATIENCE = 0.5
"""Seconds that a round waits for circusd to tell who there is."""
BELIEVED = 10.0
"""Seconds after which it is asked again though it told of no change: it may be another one."""

logger = logging.getLogger(__name__)


class Service:
    """Everything between the first subscriber and the end. Belongs to the loop that runs it."""

    def __init__(
        self,
        publisher: Publisher,
        client: AsyncCircusClient,
        context: zmq.Context[zmq.Socket[bytes]],
        pubsub_endpoint: str,
        reach: Reach,
    ) -> None:
        self._publisher = publisher
        self._client = client
        self._events = (context, pubsub_endpoint, reach)
        self._loop = asyncio.get_running_loop()
        self._sampler = Sampler()
        self._hits = Hits(self._loop)
        self._roster: Roster = NOBODY
        self._asking: asyncio.Task[None] | None = None
        self._stale = True
        self._asked = 0.0
        self._failure = ""

    async def run(self) -> None:
        """Until it is cancelled. Raises CallError when events cannot be had."""
        try:
            while True:
                await self._publisher.wanted.wait()
                logger.debug("Somebody listens")
                await self._while_wanted()
                logger.debug("Nobody listens")
        finally:
            self._hits.close()
            if self._asking is not None:
                self._asking.cancel()

    async def _while_wanted(self) -> None:
        self._stale = True
        events = Subscription(*self._events, self._loop, self._changed)
        try:
            next_round = self._loop.time()
            while self._publisher.wanted.is_set():
                await self._find_out()
                self._round()
                next_round = max(next_round + PERIOD, self._loop.time())
                await asyncio.sleep(next_round - self._loop.time())
        finally:
            events.close()
            self._hits.pause()

    def _changed(self, _event: list[bytes]) -> None:
        self._stale = True

    # -- who there is ------------------------------------------------

    async def _find_out(self) -> None:
        """Ask circusd when something has changed, at most once a round."""
        if self._loop.time() > self._asked + BELIEVED:
            self._stale = True
        if self._asking is None and self._stale:
            self._asking = asyncio.create_task(self._ask())
        if self._asking is not None:
            await asyncio.wait((self._asking,), timeout=PATIENCE)

    async def _ask(self) -> None:
        self._stale = False
        try:
            found = await ask(self._client)
        except CallError as error:
            self._stale = True
            self._complain(str(error))
        else:
            if found.sockets != self._roster.sockets:
                self._hits.watch(found.sockets)
            self._roster, self._failure = found, ""
            self._asked = self._loop.time()
        finally:
            self._asking = None

    def _complain(self, failure: str) -> None:
        if failure != self._failure:
            logger.warning("circusd does not tell who there is: %s", failure)
        self._failure = failure

    # -- what they use ------------------------------------------------

    def _round(self) -> None:
        """Look at what somebody wants to know, and tell."""
        self._sampler.begin()
        for name, workers in self._roster.watchers.items():
            if self._publisher.wants(messages.topic(name)):
                found = ((self._sampler.look_below(one.pid), {"wid": one.wid}) for one in workers)
                self._tell(name, found)
        if self._publisher.wants(messages.topic(messages.OWN)):
            own = self._roster.own.items()
            looks = ((self._sampler.look(pid), {"name": name}) for pid, name in own)
            self._tell(messages.OWN, looks)
        if self._publisher.wants(messages.topic(messages.SOCKETS)):
            self._publish(messages.of_sockets(self._hits.take()))
        else:
            self._hits.pause()
        self._publisher.end_of_round()

    def _tell(
        self, name: str, looks: Iterable[tuple[dict[str, Any] | None, Mapping[str, object]]]
    ) -> None:
        infos = []
        for info, more in looks:
            if info is None:  # it ended, and the news of that is on its way
                self._stale = True
            else:
                infos.append({**info, **more})
        self._publish(messages.of_watcher(name, infos))

    def _publish(self, told: Iterable[messages.Message]) -> None:
        for topic, message in told:
            self._publisher.publish(topic, message)


async def until_told(service: Service, stop: asyncio.Event) -> None:
    """Run it until `stop`. Raises what it fails with."""
    work = asyncio.create_task(service.run())
    told = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((work, told), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
    finally:
        told.cancel()
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
