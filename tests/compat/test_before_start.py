"""What can be asked of an arbiter that does not run, and of a client that has nobody to ask."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from pathlib import Path

import pytest
import zmq
import zmq.asyncio

from circus import get_arbiter
from circus.client import AsyncCircusClient, CircusClient
from circus.consumer import CircusConsumer
from circus.exc import AlreadyExist, CallError, ConfigError, ConflictError
from circus.util import bytes2human, get_info, get_working_dir, human2bytes


def test_watchers_come_and_go_before_the_start() -> None:
    arbiter = get_arbiter([{"name": "web", "cmd": "sleep 3600"}])
    assert arbiter.add_watcher("Worker", "sleep 3600", numprocesses=2).name == "Worker"
    with pytest.raises(AlreadyExist, match="'worker' already exist"):
        arbiter.add_watcher("worker", "sleep 1")
    assert [watcher.name for watcher in arbiter.watchers] == ["web", "Worker"]
    assert arbiter.rm_watcher("WEB").result() == {}
    with pytest.raises(KeyError, match="web"):
        arbiter.rm_watcher("web")
    assert [watcher.name for watcher in arbiter.watchers] == ["Worker"]
    assert not arbiter.endpoint_owner_mode


def test_what_does_not_run_has_no_engine() -> None:
    with pytest.raises(ConflictError, match=r"^the arbiter does not run$"):
        _ = get_arbiter([]).engine


def test_how_many_to_run_goes_with_a_command_only() -> None:
    with pytest.raises(ConfigError, match=r"^controller: 4 is not an endpoint$"):
        get_arbiter([{"cmd": "sleep 3600"}], 4)


# -- clients ------------------------------------------------


def test_what_cannot_be_written_as_a_message_is_told(tmp_path: Path) -> None:
    client = CircusClient(endpoint=f"ipc://{tmp_path}/control")
    with pytest.raises(CallError, match=r"^cannot write the message: "):
        client.send_message("set", name="web", options={"numprocesses": float("nan")})
    with pytest.raises(DeprecationWarning, match="takes a mapping"):
        client.call('{"command": "list"}')  # type: ignore[arg-type]
    client.stop()


@pytest.mark.parametrize("endpoint", ["nowhere", "tcp://nowhere", "ipc://" + "x" * 200])
def test_an_endpoint_that_cannot_be_is_told(endpoint: str) -> None:
    with pytest.raises(CallError, match=r"^cannot connect to "):
        CircusClient(endpoint=endpoint)
    with zmq.Context() as context, pytest.raises(CallError, match=r"^cannot connect to "):
        CircusClient(context, endpoint)


def test_a_context_that_is_given_stays_open() -> None:
    with zmq.Context() as context:
        with pytest.raises(CallError, match=r"^cannot connect to nowhere"):
            CircusConsumer("", context, "nowhere")
        CircusConsumer("", context, "tcp://127.0.0.1:1").stop()
        assert not context.closed
        given = zmq.asyncio.Context.shadow(context.underlying)
        asyncio.run(AsyncCircusClient(given, "tcp://127.0.0.1:1").stop())
        assert not context.closed


def test_a_consumer_tells_of_a_key_that_it_cannot_use(tmp_path: Path) -> None:
    with pytest.raises(CallError, match=f"^cannot read the key {tmp_path}/me: No such file"):
        CircusConsumer("", endpoint="tcp://127.0.0.1:1", curve_key=f"{tmp_path}/me")


def test_what_is_no_answer_is_told() -> None:
    with zmq.Context() as context, context.socket(zmq.ROUTER) as other:
        port = other.bind_to_random_port("tcp://127.0.0.1")
        client = CircusClient(endpoint=f"tcp://127.0.0.1:{port}", timeout=20)

        def answer() -> None:
            who, _ = other.recv_multipart()
            other.send_multipart([who, b"no JSON"])

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(CallError, match=r"^cannot read the answer: "):
            client.send_message("list")
        thread.join()
        client.stop()


def test_a_client_that_is_closed_while_it_connects_stays_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"nobody@127.0.0.1:{taken.getsockname()[1]}"
    # who listened has gone

    async def ask() -> None:
        client = AsyncCircusClient(endpoint="ipc:///nowhere", ssh_server=nobody)
        asked = asyncio.ensure_future(client.send_message("list"))
        await asyncio.sleep(0)  # begun
        await client.stop()
        with pytest.raises(CallError, match=r"refused"):
            await asked
        assert client.socket is None

    asyncio.run(ask())


def test_a_closed_client_sends_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        client = CircusClient(endpoint=f"tcp://127.0.0.1:{port}")
        client.stop()
        with pytest.raises(CallError, match=r"^cannot send: "):
            client.send_message("list")


# -- old names ------------------------------------------------


def test_what_is_neither_a_number_nor_a_size() -> None:
    with pytest.raises(TypeError, match=r"^'1K' is not a number of bytes$"):
        bytes2human("1K")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^1024 is not text$"):
        human2bytes(1024)  # type: ignore[arg-type]


def test_the_folder_when_its_name_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PWD", "/nowhere/at/all")
    assert get_working_dir() == os.getcwd()


def test_a_share_of_the_processor_is_measured_for_a_while() -> None:
    told = get_info(os.getpid(), interval=0.01)
    assert isinstance(told, dict)
    assert told["pid"] == os.getpid()
    assert told["cpu"] >= 0
