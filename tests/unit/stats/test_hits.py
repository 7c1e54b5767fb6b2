"""How busy sockets are, with sockets."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from circus.stats.client import StatsClient
from circus.stats.hits import Hits

if TYPE_CHECKING:
    from pathlib import Path


def told(sock: socket.socket) -> dict[str, Any]:
    """As `listsockets` tells of it."""
    return {"fd": sock.fileno(), "name": "s", "port": sock.getsockname()[1], "backlog": 9}


def test_a_socket_that_takes_no_connections_has_no_queue() -> None:
    async def main() -> list[dict[str, Any]]:
        with socket.socket(type=socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", 0))
            with closing(Hits(asyncio.get_running_loop())) as hits:
                hits.watch([told(udp)])
                return hits.take()

    (found,) = asyncio.run(main())
    assert (found["name"], found["reads"], found["queue"]) == ("s", 0, None)


def test_while_nobody_wants_to_know_nothing_is_counted() -> None:
    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        reads: list[int] = []
        with socket.create_server(("127.0.0.1", 0)) as server, closing(Hits(loop)) as hits:
            hits.watch([told(server)])

            async def connected() -> None:
                _, writer = await asyncio.open_connection(*server.getsockname())
                writer.close()
                await writer.wait_closed()

            hits.take()
            while not reads or not reads[-1]:
                await connected()
                reads = [one["reads"] for one in hits.take()]
            await connected()  # counted, and not told before the pause
            hits.pause()
            for _ in range(3):
                await connected()
            return [one["reads"] for one in hits.take()]

    assert asyncio.run(main()) == [0]


def test_without_an_endpoint_it_is_that_of_the_usual_circusd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    with StatsClient() as client:
        assert client.endpoint == f"ipc://{tmp_path}/stats"
