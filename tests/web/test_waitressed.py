"""A real waitress, as the console sets it up."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.server import create_server

from circus.web.settings import Settings
from circus.web.waitressed import WAITING, hasten, tuned
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import StartResponse, WSGIEnvironment

PIECE = bytes(WAITING)
TUNED: Any = {**tuned(Settings()), "clear_untrusted_proxy_headers": False}


def test_a_download_that_nobody_takes_does_not_keep_its_thread() -> None:
    """The kernel ends it; of waitress alone it would wait for ever."""
    over = threading.Event()

    def download() -> Iterator[bytes]:
        try:
            for _ in range(20):  # more than all buffers between us hold
                yield PIECE
        finally:
            over.set()

    def app(_environ: WSGIEnvironment, start: StartResponse) -> Iterator[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        return download()

    def step() -> bool:
        wasyncore.loop(timeout=0.05, use_poll=True, map=channels, count=1)
        return over.is_set()

    channels: dict[int, Any] = {}
    listening = socket.create_server(("127.0.0.1", 0))
    server: Any = create_server(app, map=channels, sockets=[listening], **TUNED)
    hasten(server, unread_ms=500)
    with socket.create_connection(listening.getsockname(), timeout=20) as reader:
        reader.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(step)
    server.task_dispatcher.shutdown()
    wasyncore.close_all(channels)
