"""Messages that nobody should send, and many at once."""

from __future__ import annotations

import contextlib
import json
import os
import random
import statistics
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zmq

from circus import wire
from circus.client import CircusClient
from circus.commands import COMMANDS, Command
from tests.support import Daemon, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.daemon.conftest import Start

VALUES: list[object] = [
    None, True, False, -1, 0, 1, 65, 1e308, -0.5, 10**30, "", " ", "web", "\0", "[", "*", "(",
    "é\N{GRINNING FACE}", "\N{RIGHT-TO-LEFT OVERRIDE}x", "x" * 5000, "1" * 5000, "web\n", "TERM",
    "__class__", [], {}, ["web"], {"a": {"b": []}}, [[[[]]]], ["\0"], {"": ""}, [None],
    {"cmd": None}, {"numprocesses": "many"}, "$(circus.wid)", "../../etc/passwd",
]  # fmt: skip
RAW = [
    b"", b" ", b"\n", b"\0", b"\xff\xfe", b"{", b"[]", b"null", b"1", b'"x"', b"{}", b"[" * 100_000,
    b'{"command": 3}', b'{"command": null}', b'{"command": {}}', b'{"command": ""}', b"x" * 100_000,
    b'{"command": "status", "properties": 7}', b'{"command": "status", "id": NaN}', b'{"a":' * 5000,
    b'{"command": "status", "id": 1e999}', b'{"command":"\\ud800"}', b'{"command": "nope"}',
    b'{"command": "status", "properties": {"\\udc00": 1}}', b'{"command": ' + b"9" * 5000,
    b'{"command": "STATUS", "properties": null}', b'{"command": "list", "command": 1}',
    b'{"command": "list", "properties": {"waiting": "soon"}}', b'{"command": "list"}x',
    b'{"command": "list", "id": ' + b"[" * 40 + b"]" * 40 + b"}", b"\xef\xbb\xbf{}",
    b'{"command": "list", "id": "' + b"x" * wire.LIMIT_BYTES + b'"}', b"{'command': 'list'}",
]  # fmt: skip
STATES = ("active", "starting", "stopping", "stopped")
# they would do what they are asked to: so that they never can, one property is always unknown
EFFECTIVE = ("quit", "restart", "stop", "reload", "start")


def context() -> zmq.Context[zmq.Socket[bytes]]:
    return zmq.Context.instance()


def messages(count: int, chance: random.Random) -> Iterator[tuple[bytes, bool]]:
    """So many, each with whether an answer is wanted."""
    for _ in range(count):
        if chance.random() < 0.2:
            yield chance.choice(RAW), True
            continue
        command = chance.choice(COMMANDS)
        verb = command.verb.upper() if chance.random() < 0.1 else command.verb
        properties = hostile_properties(command, chance)
        message = {"command": verb, "properties": properties, "id": chance.choice(VALUES)}
        cast = chance.random() < 0.1
        if cast:
            message["msg_type"] = "cast"
        data = json.dumps(message, ensure_ascii=chance.random() < 0.5).encode()
        if not cast and chance.random() < 0.1:
            data = data[: chance.randrange(len(data))]
        yield data, not cast


def hostile_properties(command: type[Command], chance: random.Random) -> dict[str, object]:
    keys = [*command.rows, "waiting", "match", "pid", "x"]
    found = {chance.choice(keys): chance.choice(VALUES) for _ in range(chance.randrange(4))}
    if "name" in command.rows and (command.role == "read" or command.verb == "set"):
        found.setdefault("name", "kept")
    if command.verb in EFFECTIVE:
        found["y"] = chance.choice(VALUES)
    if command.verb == "wait":
        found["timeout"] = 0
    if found.get("cmd"):
        found["cmd"] = "/nowhere/program"
    return found


def check(data: bytes, payload: bytes) -> bool:
    """Whether it was carried out; a refusal has to say why."""
    answer = json.loads(payload)
    assert answer["time"] > 0
    if answer["status"] != "error":
        assert answer["status"] in ("ok", *STATES), (data[:300], answer)
        return True
    assert 1 <= answer["errno"] <= 6, (data[:300], answer)
    assert answer["reason"].strip(), (data[:300], answer)
    assert "internal error" not in answer["reason"], (data[:300], answer)
    assert len(payload) < 100_000  # what was sent does not come back whole
    return False


def state(daemon: Daemon) -> tuple[int, int]:
    """Its memory in KiB and its number of descriptors."""
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    memory = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(memory.split()[1]), len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def test_ten_thousand_hostile_messages_are_each_answered(circusd: Start) -> None:
    daemon = circusd("[watcher:kept]\ncmd = sleep 3600\nnumprocesses = 3\n")
    workers = daemon.wait_pids("kept", 3)
    chance = random.Random(20)
    tally: Counter[str] = Counter()
    before = (0, 0)
    for part in range(10):
        with context().socket(zmq.DEALER) as dealer:
            dealer.setsockopt(zmq.LINGER, 0)
            dealer.connect(daemon.endpoint)
            for data, wanted in messages(1000, chance):
                # as a DEALER sends it, or as a REQ does
                envelope = [b""] if chance.random() < 0.3 else []
                dealer.send_multipart([*envelope, data])
                if not wanted:  # then the next answer is to the next question
                    dealer.send_multipart([*envelope, b'{"command": "numwatchers", "id": "next"}'])
                assert dealer.poll(60_000), data[:200]
                *returned, payload = dealer.recv_multipart()
                assert returned == envelope
                if wanted:
                    tally["done" if check(data, payload) else "refused"] += 1
                else:
                    assert json.loads(payload)["id"] == "next", data[:300]
                    tally["silent"] += 1
        if part == 4:
            before = state(daemon)
    after = state(daemon)
    assert sum(tally.values()) == 10_000
    assert min(tally.values()) > 500, tally
    assert daemon.pids("kept") == workers
    assert after[0] - before[0] < 4096, (before, after)
    assert abs(after[1] - before[1]) <= 2, (before, after)  # a client may just be coming or going
    for name in daemon.call("list")["watchers"]:
        if name != "kept":
            assert daemon.call("rm", name=name, waiting=True)["status"] == "ok"


@pytest.mark.parametrize(
    "frames",
    [[b"1", b"2"], [b"", b"2", b"3"], [b"1", b"", b"{}"], [b"x"] * 50, [b"", b""], [b""]],
)  # fmt: skip
def test_frames_that_are_too_many_or_empty_are_refused(circusd: Start, frames: list[bytes]) -> None:
    daemon = circusd("[watcher:kept]\ncmd = sleep 3600\n")
    with context().socket(zmq.DEALER) as dealer:
        dealer.setsockopt(zmq.LINGER, 0)
        dealer.connect(daemon.endpoint)
        dealer.send_multipart(frames)
        assert dealer.poll(60_000)
        assert not check(b"", dealer.recv_multipart()[-1])
        dealer.send(b'{"command": "numwatchers"}')
        assert dealer.poll(60_000)
        assert json.loads(dealer.recv())["numwatchers"] == 1


def ask_without_end(deaf: zmq.Socket[bytes]) -> None:
    for _ in range(10_000):
        with contextlib.suppress(zmq.Again):
            deaf.send(b'{"command": "options", "properties": {"name": "kept"}}', zmq.NOBLOCK)


def test_clients_that_vanish_and_those_that_never_read(circusd: Start) -> None:
    daemon = circusd("[watcher:kept]\ncmd = sleep 3600\n")
    workers = daemon.wait_pids("kept", 1)
    waiting = {"command": "wait", "properties": {"names": ["kept"], "until": "stopped"}}
    question = json.dumps(waiting).encode()

    def vanish(count: int) -> None:
        for _ in range(count):
            with context().socket(zmq.DEALER) as dealer:
                dealer.setsockopt(zmq.LINGER, 50)
                dealer.connect(daemon.endpoint)
                for _ in range(3):
                    dealer.send(question)

    vanish(50)
    with context().socket(zmq.DEALER) as deaf:
        deaf.setsockopt(zmq.LINGER, 0)
        deaf.setsockopt(zmq.RCVHWM, 1)
        deaf.connect(daemon.endpoint)
        ask_without_end(deaf)
        before = state(daemon)
        ask_without_end(deaf)
        for _ in range(20):
            assert daemon.call("status", name="kept")["status"] == "active"
        after = state(daemon)
    assert after[0] - before[0] < 8192, (before, after)
    wait_until(lambda: state(daemon)[1] <= before[1])  # their connections are closed
    vanish(10)
    assert daemon.call("status", name="kept")["status"] == "active"
    assert daemon.pids("kept") == workers
    assert daemon.text().count("Cannot deliver") < 20


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
