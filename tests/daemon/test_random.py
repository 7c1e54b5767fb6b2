"""Random commands and deaths against the real kernel: never two in a slot, counts converge."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import alive

if TYPE_CHECKING:
    from tests.daemon.conftest import Start
    from tests.support import Daemon

CONFIG = """
[watcher:quick]
cmd = sleep 3600
numprocesses = 3
max_retry = -1
backoff_max = 0.1
[watcher:slow]
cmd = trap 'sleep 0.1; exit 0' TERM; while :; do sleep 60 & wait; done
shell = True
copy_env = True
numprocesses = 2
max_retry = -1
backoff_max = 0.1
[watcher:rude]
cmd = trap '' TERM; (setsid sleep 3600 &); while :; do sleep 60 & wait; done
shell = True
copy_env = True
graceful_timeout = 0.1
max_retry = -1
backoff_max = 0.1
[watcher:failing]
cmd = /nowhere/program
max_retry = -1
backoff_max = 0.1
"""
NAMES = ("quick", "slow", "rude", "failing")


def leaders(daemon: Daemon) -> dict[tuple[str, str], list[int]]:
    """Living session leaders with our mark, by watcher and wid."""
    found: dict[tuple[str, str], list[int]] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            pid = int(entry.name)
            environ = (entry / "environ").read_bytes().split(b"\0")
            marks = [item for item in environ if item.startswith(b"CIRCUS_WORKER=")]
            if not marks:
                continue
            mark = marks[0]
            name, wid, daemon_pid, _ = mark.decode().partition("=")[2].rsplit(".", 3)
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            is_leader = int(fields[3]) == pid and int(fields[1]) == daemon.process.pid
            if int(daemon_pid) == daemon.process.pid and is_leader and alive(pid):
                found.setdefault((name, wid), []).append(pid)
    return found


def act(daemon: Daemon, chance: random.Random) -> None:
    name = chance.choice(NAMES)
    verb = chance.choice(
        ["start", "stop", "restart", "reload", "incr", "decr", "set", "kill", "die"]
    )
    if verb == "die":
        pids = daemon.pids(name)
        if pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(pids), chance.choice([signal.SIGKILL, signal.SIGTERM]))
        return
    properties: dict[str, object] = {"name": name}
    if verb == "set":
        properties["options"] = {"numprocesses": chance.randint(0, 4)}
    if verb == "reload":
        properties["sequential"] = chance.choice([True, False])
    answer = daemon.call(verb, **properties)
    assert answer["status"] == "ok", answer


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_t15_t16_t32_random_commands_converge(circusd: Start, seed: int) -> None:
    daemon = circusd(CONFIG)
    chance = random.Random(seed)
    for number in range(150):
        act(daemon, chance)
        if number % 10 == 0:
            for name in ("quick", "slow"):
                doubles = {
                    key: pids
                    for key, pids in leaders(daemon).items()
                    if len(pids) > 1 and key[0] == name
                }
                assert doubles == {}, f"seed {seed}, step {number}"
    for name in ("quick", "slow", "rude"):
        daemon.call("set", name=name, options={"numprocesses": 2}, waiting=True)
        daemon.call("start", name=name, waiting=True)
        daemon.wait_pids(name, 2)
    assert daemon.call("stop", waiting=True)["status"] == "ok"
    assert leaders(daemon) == {}
    assert set(daemon.call("status")["statuses"].values()) == {"stopped"}
