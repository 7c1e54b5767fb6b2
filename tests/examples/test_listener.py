"""The first example, with the listener beside it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.examples.conftest import EXAMPLES
from tests.support import wait_until

if TYPE_CHECKING:
    from tests.examples.conftest import Run


def test_whoever_kills_one_of_eight_workers_sees_it_in_the_listener(example: Run) -> None:
    daemon = example("example1.ini")
    workers = [*daemon.wait_pids("dummy", 5), *daemon.wait_pids("dummy2", 3)]
    assert len(set(workers)) == 8
    listener = subprocess.Popen(
        [sys.executable, EXAMPLES / "listener.py"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "RUNTIME_DIRECTORY": str(daemon.folder)},
    )
    assert listener.stdout is not None
    with daemon.restarting("dummy"):  # until it has subscribed, it does not hear of it
        assert listener.stdout.readline().startswith("watcher.dummy.")
    victim = daemon.pids("dummy2")[0]
    os.kill(victim, signal.SIGKILL)
    told = {}
    for line in listener.stdout:
        topic, _, message = line.partition(" ")
        if topic.startswith("watcher.dummy2."):
            told[topic.removeprefix("watcher.dummy2.")] = json.loads(message)
        if "spawn" in told:
            break
    assert told["reap"]["process_pid"] == victim
    assert told["reap"]["how"] == "killed by SIGKILL"
    wait_until(lambda: told["spawn"]["process_pid"] in daemon.pids("dummy2"))
    listener.send_signal(signal.SIGINT)
    assert listener.wait(timeout=30) == 0
    listener.stdout.close()
