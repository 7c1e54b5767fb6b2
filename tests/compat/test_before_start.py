"""What can be asked of an arbiter that does not run, and of a client that has nobody to ask."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from circus import get_arbiter
from circus.client import CircusClient
from circus.exc import AlreadyExist, CallError, ConflictError
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
