"""The queue: workers are replaced, killed and become fewer, and every job is done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from redis import Redis

from tests.plugins.peers import REDIS, needs_redis
from tests.support import wait_until

if TYPE_CHECKING:
    from tests.examples.conftest import Run
    from tests.support import Daemon

pytestmark = needs_redis
JOBS = 60
KILLED = 5
"""Workers, one after the other."""


class Queue:
    """What can be seen in the Redis of the example."""

    def __init__(self, daemon: Daemon) -> None:
        self._redis = Redis(unix_socket_path=str(daemon.folder / "redis.sock"))
        put = [sys.executable, "put.py", str(JOBS)]
        subprocess.run(put, cwd=daemon.folder, check=True, timeout=60)

    def done(self) -> Counter[str]:
        """How often each job was."""
        results: list[bytes] = self._redis.lrange("done", 0, -1)  # type: ignore[assignment]
        return Counter(result.decode().partition(" ")[0] for result in results)

    def busy(self) -> set[int]:
        """The workers that are doing a job."""
        keys: list[bytes] = self._redis.keys("doing:*")  # type: ignore[assignment]
        return {int(key.partition(b":")[2]) for key in keys}

    def wait_done(self, count: int) -> None:
        """Return once so many jobs were done."""
        wait_until(lambda: self.done().total() >= count, within=60)

    def wait_all(self) -> Counter[str]:
        """How often each job was done, once all were, and nobody does anything any more."""
        every = {f"job{number}" for number in range(JOBS)}
        wait_until(lambda: self.done().keys() == every and not self.busy(), within=60)
        assert self._redis.llen("jobs") == 0
        return self.done()


@pytest.fixture
def started(example: Run) -> Daemon:
    daemon = example(
        "queue/circus.ini", {"cmd = redis-server": f"executable = {REDIS}\ncmd = redis-server"}
    )
    daemon.wait_pids("worker", 3)
    return daemon


def test_workers_that_are_replaced_do_each_job_once(started: Daemon) -> None:
    queue = Queue(started)
    queue.wait_done(3)
    for command, options in (("reload", {}), ("restart", {}), ("decr", {"nb": 2})):
        answer = started.call(command, name="worker", waiting=True, **options)
        assert answer["status"] == "ok", answer
        queue.wait_done(queue.done().total() + 3)
    assert set(queue.wait_all().values()) == {1}
    assert "did not stop by itself" not in started.text()


def test_a_job_of_a_worker_that_is_killed_is_done_by_another(started: Daemon) -> None:
    queue = Queue(started)
    for _ in range(KILLED):
        pid = wait_until(lambda: next(iter(queue.busy() & set(started.pids("worker"))), None))
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda gone=pid: gone not in started.pids("worker"))  # type: ignore[misc]
    assert queue.wait_all().total() <= JOBS + KILLED  # done in part, then as a whole


def test_the_queue_lives_through_a_restart_of_redis(started: Daemon) -> None:
    queue = Queue(started)
    queue.wait_done(3)
    assert started.call("restart", name="redis", waiting=True)["status"] == "ok"
    queue.wait_all()
