"""Who is judged before a connection stands, with real connections."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import zmq

from circus.control.zap import Knock, Zap

if TYPE_CHECKING:
    from pathlib import Path


def test_a_verdict_in_the_moment_of_a_pause_is_found_anew(folder: Path) -> None:
    failures: list[dict[str, Any]] = []

    async def run(context: zmq.Context[zmq.Socket[bytes]]) -> str:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, failure: failures.append(failure))
        verdict: asyncio.Future[str | None] = loop.create_future()
        asked = asyncio.Event()

        def judge(_: Knock) -> asyncio.Future[str | None]:
            asked.set()
            return verdict

        zap = Zap(context, loop, judge)
        with context.socket(zmq.ROUTER) as router, context.socket(zmq.DEALER) as dealer:
            router.setsockopt_string(zmq.ZAP_DOMAIN, "control")
            router.bind(f"ipc://{folder}/control")
            dealer.connect(f"ipc://{folder}/control")
            dealer.send(b"hello")
            await asked.wait()
            verdict.set_result("before")  # the loop has not told of it yet
            unjudged = zap.pause()
            told = asyncio.Event()
            loop.call_soon(told.set)
            await told.wait()
            zap.resume(loop, lambda _: "after", unjudged)
            assert await asyncio.to_thread(router.poll, 10_000)
            router.recv()
            name = str(router.recv(copy=False).get("User-Id"))
        zap.pause()
        zap.close()
        return name

    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        assert asyncio.run(run(context)) == "after"
    finally:
        context.destroy(linger=0)
    assert failures == []
