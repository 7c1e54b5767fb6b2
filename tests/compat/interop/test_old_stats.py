"""circusd-stats of circus 0.19.0, run as a watcher of our circusd, as that version's own did."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest
import zmq

from tests.compat.interop.peer import free_tcp_endpoint
from tests.support import Daemon, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.compat.interop.peer import Old


STATS = free_tcp_endpoint()


@pytest.fixture
def daemon(old: Old) -> Iterator[Daemon]:
    """One with two sockets."""
    started = Daemon(
        f"[watcher:stats]\ncmd = {old.programs}/circusd-stats --endpoint ipc://FOLDER/control "
        f"--pubsub ipc://FOLDER/pubsub --statspoint {STATS}\nuse_sockets = True\n"
        "[socket:one]\nhost = 127.0.0.1\nport = 0\n[socket:two]\nhost = 127.0.0.1\nport = 0\n"
    )
    try:
        yield started.wait()
    finally:
        started.stop()


def test_it_counts_what_is_read_from_our_sockets(daemon: Daemon) -> None:
    """It looks for each socket under the number that `listsockets` tells."""
    sockets = daemon.call("listsockets")["sockets"]
    with zmq.Context() as context, context.socket(zmq.SUB) as subscriber:
        subscriber.connect(STATS)
        subscriber.subscribe(b"stat.sockets")
        found: dict[str, str] = {}

        def both_were_read() -> bool:
            while subscriber.poll(0):
                topic, message = subscriber.recv_multipart()
                told = json.loads(message)
                if told["reads"] and "address" in told:  # not their sum
                    found[topic.decode().removeprefix("stat.sockets.")] = told["address"]
            return len(found) >= 2

        def connections_came() -> bool:
            for sock in sockets:
                address = (sock["host"], sock["port"])
                socket.create_connection(address, timeout=20).close()
            return both_were_read()

        wait_until(connections_came)
    assert found == {str(sock["fd"]): f"127.0.0.1:{sock['port']}" for sock in sockets}
