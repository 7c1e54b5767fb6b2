"""Events of circusd, taken in by a loop that has other work too."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import zmq

from circus.reach import Reach
from circus.subscription import AT_ONCE, Subscription

if TYPE_CHECKING:
    from pathlib import Path


def test_many_events_at_once_leave_others_their_turn(folder: Path) -> None:
    endpoint, number = f"ipc://{folder}/events", 3 * AT_ONCE
    seen: list[bytes] = []
    turns: list[int] = []

    async def main(context: zmq.Context[zmq.Socket[bytes]], circusd: zmq.Socket[bytes]) -> None:
        loop = asyncio.get_running_loop()
        over = loop.create_future()

        def take(event: list[bytes]) -> None:
            seen.append(event[1])
            if len(seen) == number:
                over.set_result(None)

        def turn() -> None:
            turns.append(len(seen))
            if not over.done():
                loop.call_soon(turn)

        subscription = Subscription(context, endpoint, Reach(), loop, take)
        assert circusd.poll(20_000)  # it is known by now who is to get them
        circusd.recv()
        for one in range(number):
            circusd.send_multipart([b"watcher.w.x", b"%d" % one])
        assert subscription.socket.poll(20_000)
        turn()
        await asyncio.wait_for(over, 20)
        subscription.close()
        subscription.close()  # again is no harm

    with zmq.Context() as context, context.socket(zmq.XPUB) as circusd:
        circusd.linger = 0
        circusd.bind(endpoint)
        asyncio.run(main(context, circusd))
    assert seen == [b"%d" % one for one in range(number)]
    assert max(after - before for before, after in pairwise(turns)) <= AT_ONCE
