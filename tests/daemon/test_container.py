"""circusd as process 1 of a container, or what comes near it: of a namespace of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from circus.client import CircusClient
from tests.support import alive, child, children, only_if, pid_tree, ready, text_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

UNSHARE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]

pytestmark = only_if(
    subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0,
    "no namespaces here",
)


class Container:
    """`process` is unshare, `first` the circusd in it, by the number it has out here."""

    def __init__(self, text: str) -> None:
        # short, because the path of a Unix socket may not be long
        self.folder = Path(tempfile.mkdtemp(prefix="circus-", dir="/tmp"))
        config = self.folder / "circus.ini"
        config.write_text(text.replace("FOLDER", str(self.folder)))
        self.log = self.folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*UNSHARE, sys.executable, "-m", "circus.circusd", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "RUNTIME_DIRECTORY": str(self.folder)},
            )
        self.first: int = wait_until(lambda: children(self.process.pid))[0]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        log = self.log.read_text()
        shutil.rmtree(self.folder)
        assert "Traceback" not in log, log


@pytest.fixture
def container(request: pytest.FixtureRequest) -> Iterator[Container]:
    started = Container(request.param)
    yield started
    started.close()


TREE = f"""
[watcher:w]
cmd = {child("double_fork")}
numprocesses = 2
graceful_timeout = 1
stdout_stream.filename = FOLDER/out
[watcher:stubborn]
cmd = sh -c "trap '' TERM && while true\\; do sleep 0.1\\; done"
graceful_timeout = 0.5
"""


@pytest.mark.parametrize("container", ["[watcher:w]\ncmd = sleep 3600\n"], indirect=True)
def test_it_collects_every_orphan_and_ends_on_term(container: Container) -> None:
    wait_until(lambda: "w.1 started" in text_of(container.log))
    workers = children(container.first)
    assert len(workers) == 1
    inside = ["nsenter", "--target", str(container.first), "--pid", "--mount"]
    for _ in range(5):
        subprocess.run([*inside, "sh", "-c", "sleep 0.01 & sleep 0.02 &"], check=True)
    wait_until(lambda: children(container.first) == workers)
    os.kill(container.first, signal.SIGTERM)
    assert container.process.wait(timeout=30) == 0
    assert "Arbiter exiting" in container.log.read_text()


@pytest.mark.parametrize("container", ["[watcher:w]\ncmd = sleep 3600\n"], indirect=True)
def test_a_signal_that_comes_before_it_is_ready_is_not_lost(container: Container) -> None:
    # process 1 has no default handlers: what comes before Python runs our first line is lost
    wait_until(lambda: handles_term(container.first))
    os.kill(container.first, signal.SIGTERM)
    assert container.process.wait(timeout=30) == 0


@pytest.mark.parametrize("container", [TREE], indirect=True)
def test_nothing_is_left_when_it_ends(container: Container) -> None:
    out = container.folder / "out"
    wait_until(lambda: len(ready(text_of(out))) >= 2)
    client = CircusClient(endpoint=f"ipc://{container.folder}/control", timeout=30)
    assert client.send_message("stats")["status"] == "ok"
    everybody = pid_tree(container.first)
    assert client.send_message("quit", waiting=True)["status"] == "ok"
    client.stop()
    assert container.process.wait(timeout=30) == 0
    assert [pid for pid in everybody if alive(pid)] == []


def handles_term(pid: int) -> bool:
    """Whether a process has a handler for SIGTERM."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, mask = line.partition(":")
        if name == "SigCgt":
            return bool(int(mask, 16) & 1 << (signal.SIGTERM - 1))
    return False
