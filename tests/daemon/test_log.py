"""circusd's own log: whoever reads it, or does not, cannot stop circusd."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from circus.client import CircusClient
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.daemon.conftest import Start


@pytest.mark.parametrize("ends", [os.pipe, os.openpty], ids=["pipe", "terminal"])
def test_a_log_that_nobody_reads_stops_nothing(
    tmp_path: Path, ends: Callable[[], tuple[int, int]]
) -> None:
    config = tmp_path / "x.ini"
    config.write_text(
        f"[watcher:{'long' * 40}]\ncmd = true\nnumprocesses = 10\nbackoff_max = 0.01\n"
        "[watcher:web]\ncmd = sleep 3600\n"
    )
    reading, writing = ends()
    process = subprocess.Popen(
        [sys.executable, "-m", "circus.circusd", "--log-level", "debug", str(config)],
        stdin=subprocess.DEVNULL,
        stderr=writing,
        env={**os.environ, "RUNTIME_DIRECTORY": str(tmp_path)},
    )
    os.close(writing)
    client = CircusClient(endpoint=f"ipc://{tmp_path}/control", timeout=30)
    try:
        wait_until((tmp_path / "control").exists)
        # far more than any pipe or terminal holds
        wait_until(lambda: restarts(client) > 500)
        assert client.send_message("restart", name="web", waiting=True)["status"] == "ok"
        client.send_message("quit")
        text = read(reading, until="Arbiter exiting").replace("\r", "")
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
        client.stop()
        os.close(reading)
    started = re.findall(r"\.\d+ started, pid (\d+)$", text, re.MULTILINE)
    ended = re.findall(r"\.\d+ \(pid (\d+)\) ", text)
    assert len(started) > 500
    assert sorted(started) == sorted(ended)


def restarts(client: CircusClient) -> int:
    slots = client.send_message("why", name="long" * 40)["watchers"][0]["slots"]
    return sum(slot["restarts"] for slot in slots)


def read(fd: int, *, until: str) -> str:
    text = ""
    while until not in text:
        assert select.select([fd], [], [], 30)[0], text[-1000:]
        text += os.read(fd, 65536).decode()
    return text


def test_the_first_failure_is_answered_at_once_and_says_so(circusd: Start) -> None:
    daemon = circusd("[watcher:w]\ncmd = /nowhere/program\nmax_retry = 2\n")
    wait_until(lambda: "w.1 is given up" in daemon.text())
    said = "no such file; next try at once (failure 1 of 2)\n"
    wait_until(lambda: said in daemon.text())
    daemon.call("quit")
    daemon.process.wait(20)
    assert daemon.text().count(said) == 1, (
        "the watcher and the whole start fail for the same reason"
    )
