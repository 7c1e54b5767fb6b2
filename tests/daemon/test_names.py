"""A name service that does not answer holds up only who needs a name."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from circus.client import CircusClient
from tests.support import needs_root, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start

CONFIG = """
[watcher:user]
cmd = sleep 3600
uid = nobody
numprocesses = 2
[watcher:web]
cmd = sleep 3600
"""


@pytest.fixture
def answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that makes the name service answer; daemons started from now on ask it."""
    library = tmp_path / "slow_names.so"
    source = Path(__file__).parents[1] / "children" / "slow_names.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("NAMES_ANSWER", str(tmp_path / "answer"))
    return tmp_path / "answer"


@needs_root
def test_only_who_needs_a_name_waits_for_it(circusd: Start, answer: Path) -> None:
    daemon = circusd(CONFIG)
    daemon.wait_pids("web", 1)
    assert daemon.call("restart", name="web", waiting=True)["status"] == "ok"
    slots = daemon.slots("user")
    assert [slot["state"] for slot in slots] == ["spawning", "spawning"]
    # a stop does not wait for an answer either, nor does another start ask twice
    assert daemon.call("stop", name="user", waiting=True)["status"] == "ok"
    assert daemon.call("start", name="user")["status"] == "ok"
    answer.touch()
    daemon.wait_pids("user", 2)


@needs_root
def test_a_change_that_is_looked_into_holds_up_nobody_and_keeps_its_turn(
    circusd: Start, answer: Path
) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\n[watcher:web]\ncmd = sleep 3600\n")
    daemon.wait_pids("w", 1)
    changes = [{"uid": "nobody", "cmd": "sleep 3601"}, {"cmd": "sleep 3602"}]
    client = CircusClient(endpoint=daemon.endpoint, timeout=30)
    for options in changes:
        message = {"command": "set", "properties": {"name": "w", "options": options}, "id": "1"}
        client.socket.send(json.dumps(message).encode())
    assert daemon.call("set", name="web", options={"nice": 1}, waiting=True)["status"] == "ok"
    assert daemon.call("options", name="w")["options"]["cmd"] == "sleep 3600"
    answer.touch()
    for _ in changes:
        assert json.loads(client.socket.recv())["status"] == "ok"
    client.stop()
    options = daemon.call("options", name="w")["options"]
    assert (options["cmd"], options["uid"]) == ("sleep 3602", "nobody")


@needs_root
def test_the_daemon_ends_without_an_answer(circusd: Start, answer: Path) -> None:
    daemon = circusd(CONFIG)
    daemon.wait_pids("web", 1)
    assert daemon.call("quit", waiting=True)["status"] == "ok"
    assert daemon.process.wait(timeout=30) == 0


@needs_root
def test_a_name_that_is_not_there_is_a_reason(circusd: Start) -> None:
    daemon = circusd("[watcher:user]\ncmd = sleep 3600\nuid = nosuchuser\nmax_retry = 2\n")
    wait_until(lambda: daemon.call("status", name="user")["status"] == "stopped")
    slot = daemon.slots("user")[0]
    assert (slot["state"], slot["failures"]) == ("failed", 2)
    assert "there is no such user" in slot["last"]
