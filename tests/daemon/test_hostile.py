"""Messages that nobody should send, and many at once."""

from __future__ import annotations

import json
import random
import statistics
import threading
import time
from typing import TYPE_CHECKING

import zmq

from circus.client import CircusClient
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.daemon.conftest import Start

VERBS = [
    *("add", "decr", "dstats", "get", "globaloptions", "incr", "list", "listen", "listsockets"),
    *("numprocesses", "numwatchers", "options", "reload", "reloadconfig", "rm", "set", "signal"),
    *("start", "stats", "status", "why", "kill", "is-active"),
]
VALUES: list[object] = [
    None, True, -1, 0, 1e308, 10**30, "", "web", "\0", "é\N{GRINNING FACE}", "x" * 5000, [], {},
    ["web"], {"a": {"b": []}}, [[[[]]]], "$(circus.wid)", "../../etc/passwd", "web\n", "*",
]  # fmt: skip
KEYS = ["name", "pid", "signum", "options", "keys", "nb", "process", "cmd", "waiting", "match", "x"]
RAW = [
    b"", b" ", b"\xff\xfe", b"{", b"[]", b"null", b"1", b'"x"', b"{}", b'{"command": 3}',
    b'{"command": null}', b'{"command": "status", "properties": 7}', b"[" * 100_000,
    b'{"command": "status", "id": NaN}', b'{"a":' * 5000, b'{"command":"\\ud800"}', b"x" * 100_000,
    b'{"command": "nope"}', b'{"command": "STATUS", "properties": null}',
]  # fmt: skip


def context() -> zmq.Context[zmq.Socket[bytes]]:
    return zmq.Context.instance()


def messages(count: int) -> Iterator[bytes]:
    chance = random.Random(20)
    for _ in range(count):
        if chance.random() < 0.3:
            yield chance.choice(RAW)
            continue
        properties = {chance.choice(KEYS): chance.choice(VALUES) for _ in range(3)}
        message = {"command": chance.choice(VERBS), "properties": properties, "id": "x"}
        if properties.get("cmd") and message["command"] == "add":
            properties["cmd"] = "/nowhere/program"
        data = json.dumps(message).encode()
        if chance.random() < 0.1:
            data = data[: chance.randrange(len(data))]
        yield data


def test_ten_thousand_hostile_messages_are_each_answered(circusd: Start) -> None:
    daemon = circusd("[watcher:web]\ncmd = sleep 3600\n")
    with context().socket(zmq.DEALER) as dealer:
        dealer.setsockopt(zmq.LINGER, 0)
        dealer.connect(daemon.endpoint)
        for data in messages(10_000):
            dealer.send(data)
            assert dealer.poll(60_000), data[:200]
            answer = json.loads(dealer.recv())
            assert answer["status"] in ("ok", "error", "active", "starting", "stopping", "stopped")
            if "errno" in answer:
                assert answer["reason"]
                assert "internal error" not in answer["reason"], (data[:300], answer)
        dealer.send_multipart([b"one", b"two", b"three", b"four"])
        dealer.send(json.dumps({"command": "numwatchers", "id": "after"}).encode())
        answers = []
        while "after" not in answers:
            assert dealer.poll(60_000)
            answers.append(json.loads(dealer.recv()).get("id"))
    assert daemon.process.poll() is None


def test_a_plain_req_client_gets_answers(circusd: Start) -> None:
    daemon = circusd("[watcher:web]\ncmd = sleep 3600\n")
    with context().socket(zmq.REQ) as client:
        client.setsockopt(zmq.LINGER, 0)
        client.connect(daemon.endpoint)
        client.send(b'{"command": "numwatchers", "id": 7}')
        assert client.poll(60_000)
        assert json.loads(client.recv())["numwatchers"] == 1


def test_t6_status_stays_quick_whatever_happens(circusd: Start) -> None:
    crashing = "".join(
        f"[watcher:crash{n}]\ncmd = false\nmax_retry = -1\nbackoff_max = 2\n" for n in range(100)
    )
    wrong = "".join(
        f"[watcher:wrong{n}]\ncmd = /nowhere/program\nmax_retry = -1\n" for n in range(50)
    )
    daemon = circusd(
        crashing
        + wrong
        + "[watcher:slow]\ncmd = trap '' TERM; while :; do sleep 60 & wait; done\nshell = True\n"
        "graceful_timeout = 60\n[watcher:web]\ncmd = sleep 3600\n"
    )
    daemon.wait_pids("web", 1)
    daemon.call("stop", name="slow")
    times: list[float] = []

    def hammer() -> None:
        client = CircusClient(endpoint=daemon.endpoint, timeout=60.0)
        for _ in range(60):
            began = time.perf_counter()
            assert client.send_message("status")["status"] == "ok"
            times.append(time.perf_counter() - began)
        client.stop()

    threads = [threading.Thread(target=hammer) for _ in range(16)]
    for thread in threads:
        thread.start()
    assert daemon.call("incr", name="web", waiting=True)["numprocesses"] == 2
    for thread in threads:
        thread.join()
    assert len(times) == 16 * 60
    assert statistics.median(times) < 1.0
    assert daemon.call("status", name="slow")["status"] == "stopping"
    daemon.call("kill", name="slow", graceful_timeout=0)
    wait_until(lambda: daemon.call("status", name="slow")["status"] == "stopped")
