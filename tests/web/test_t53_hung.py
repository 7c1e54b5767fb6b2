"""T53: a circusd that hangs takes nobody's console away, and tells strangers nothing."""

from __future__ import annotations

import os
import re
import signal
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.web.console import Console

MANY = 60
"""More than there are threads."""


def test_t53_a_crowd_that_asks_a_circusd_that_hangs_keeps_nobody_waiting(console: Console) -> None:
    console.login("read")
    cookies = "; ".join(f"{name}={value}" for name, value in console.cookies.items())
    head = f"HTTP/1.1\r\nHost: localhost:{console.port}\r\nCookie: {cookies}\r\n"
    request = f"GET /api/v1/watchers/web/why {head}Connection: close\r\n\r\n".encode()
    os.kill(console.daemon.process.pid, signal.SIGSTOP)
    crowd = [socket.create_connection(("127.0.0.1", console.port), timeout=60) for _ in range(MANY)]
    try:
        for one in crowd:
            one.sendall(request)
        assert console.get("/healthz").status == 200
        assert console.get("/static/console.css").status == 200
        statuses = [status_of(one) for one in crowd]
    finally:
        os.kill(console.daemon.process.pid, signal.SIGCONT)
        for one in crowd:
            one.close()
    assert set(statuses) == {503, 504}, statuses
    assert statuses.count(504) < MANY / 2, "most were told at once that too many wait"


def test_t53_a_stranger_does_not_learn_where_circusd_is(console: Console) -> None:
    console.daemon.process.terminate()
    console.daemon.process.wait()
    answers = [
        console.get("/login?ticket=x"),
        console.post("/login", {"ticket": "x"}, page="/login"),
        console.get("/nowhere"),
    ]
    assert [one.status for one in answers] == [503, 503, 404]
    for one in answers:
        assert console.daemon.endpoint not in one.text


def status_of(sock: socket.socket) -> int:
    """Of the answer, when it comes."""
    with sock.makefile("rb") as answer:
        found = re.match(rb"HTTP/1.1 (\d+) ", answer.readline())
    assert found
    return int(found[1])
