"""The client library against a real daemon."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest

from circus.client import AsyncCircusClient, CircusClient, cast_message, make_message
from circus.consumer import CircusConsumer
from circus.exc import CallError
from tests.support import Daemon, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = [f"w{number}" for number in range(20)]


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    started = Daemon("".join(f"[watcher:{name}]\ncmd = sleep 3600\n" for name in NAMES)).wait()
    for name in NAMES:
        started.wait_pids(name, 1)
    yield started
    started.stop()


def test_several_messages_are_answered_in_their_order(daemon: Daemon) -> None:
    asked = [make_message("list", name=name) for name in NAMES]
    asked.insert(1, cast_message("list"))
    asked.append(make_message("list", name="nope"))
    first, cast, *others, last = daemon.client.call_all(asked)
    assert first == {**(first or {}), "pids": daemon.pids(NAMES[0])}
    assert cast == {}
    assert [(answer or {})["pids"] for answer in others] == [daemon.pids(n) for n in NAMES[1:]]
    assert (last or {})["reason"] == "program nope not found"


def test_what_is_asked_while_circusd_starts_anew_is_answered() -> None:
    """By clients that stay connected, and by those that come and go."""
    daemon = Daemon("[watcher:w]\ncmd = sleep 3600\n").wait()
    over = threading.Event()
    counts: list[object] = []

    def ask(*, stays: bool) -> None:
        client = CircusClient(endpoint=daemon.endpoint, timeout=30)
        while not over.is_set():
            if not stays:
                client.stop()
                client = CircusClient(endpoint=daemon.endpoint, timeout=30)
            counts.append(client.send_message("numwatchers").get("numwatchers"))
        client.stop()

    try:
        with ThreadPoolExecutor() as pool:
            asking = [pool.submit(ask, stays=stays) for stays in (True, True, False)]
            for _ in range(3):
                daemon.start_anew("w")
                wait_until(partial(has_more, counts, len(counts) + 100))
            over.set()
            for one in asking:
                one.result(timeout=60)
    finally:
        over.set()
        daemon.stop()
    assert set(counts) == {1}


def has_more(answers: list[object], than: int) -> bool:
    return len(answers) > than


def test_what_does_not_answer_in_time_is_told_from_what_does(daemon: Daemon) -> None:
    client = CircusClient(endpoint=daemon.endpoint, timeout=0.3)
    waiting = make_message("wait", names=["w1"], until="stopped")
    try:
        late, soon = client.call_all([waiting, make_message("numwatchers")])
        assert late is None
        assert (soon or {})["numwatchers"] == len(NAMES)
        with pytest.raises(CallError, match=r"^Timed out\.$"):
            client.call(waiting)
        assert client.send_message("numwatchers")["numwatchers"] == len(NAMES)
    finally:
        client.stop()


def test_concurrent_calls_of_one_client_each_get_their_own_answer(daemon: Daemon) -> None:
    async def ask() -> None:
        client = AsyncCircusClient(endpoint=daemon.endpoint, timeout=20)
        # the first waits for an event that the last brings about
        stopped = asyncio.ensure_future(client.send_message("wait", names=["w3"], until="stopped"))
        answers = await asyncio.gather(
            *(client.send_message("list", name=name) for name in NAMES * 5),
            client.send_message("nope"),
            client.call(cast_message("list")),
        )
        assert [answer["pids"] for answer in answers[:-2]] == pids * 5
        assert answers[-2]["errno"] == 2
        assert answers[-1] == {}
        assert not stopped.done()
        await client.send_message("stop", name="w3", waiting=True)
        assert (await stopped)["statuses"] == {"w3": "stopped"}
        await client.send_message("start", name="w3", waiting=True)
        await client.stop()

    pids = [daemon.wait_pids(name, 1) for name in NAMES]
    asyncio.run(ask())


def test_calls_that_fail_leave_the_others_alone(daemon: Daemon) -> None:
    async def ask() -> None:
        client = AsyncCircusClient(endpoint=daemon.endpoint, timeout=0.3)
        late = client.send_message("wait", names=["w1"], until="stopped")
        given_up = asyncio.ensure_future(client.send_message("wait", names=["w1"], until="stopped"))
        outcomes = asyncio.gather(late, client.send_message("list"), return_exceptions=True)
        await asyncio.sleep(0)
        given_up.cancel()
        timed_out, answer = await outcomes
        assert isinstance(timed_out, CallError)
        assert isinstance(answer, dict)
        left = asyncio.ensure_future(client.send_message("wait", names=["w1"], until="stopped"))
        assert (await client.send_message("list"))["watchers"] == sorted(NAMES)
        await client.stop()
        with pytest.raises(CallError, match="the connection has been closed"):
            await left

    asyncio.run(ask())


def test_a_consumer_yields_topics_and_messages(daemon: Daemon) -> None:
    endpoint = f"ipc://{daemon.folder}/pubsub"
    with CircusConsumer("watcher.w5.", endpoint=endpoint, timeout=0.1) as consumer:
        events = iter(consumer)
        with daemon.restarting("w5"):
            topic, message = next(events)
    assert topic.startswith(b"watcher.w5.")
    assert isinstance(json.loads(message), dict)
    assert consumer.pubsub_socket.closed


def test_a_consumer_is_stopped_from_another_thread(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(daemon.folder))
    consumer = CircusConsumer([b"nothing", "never"], timeout=0.05)
    assert consumer.endpoint == f"ipc://{daemon.folder}/pubsub"
    found: list[object] = []
    reader = threading.Thread(target=lambda: found.extend(consumer.iter_messages()))
    reader.start()
    wait_until(consumer._in_use.locked)
    consumer.stop()
    reader.join(20)
    assert not reader.is_alive()
    assert found == []
    assert consumer.pubsub_socket.closed


def test_a_consumer_of_a_bad_endpoint(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="cannot connect to nonsense"):
        CircusConsumer([""], endpoint="nonsense")
