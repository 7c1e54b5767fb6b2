"""Random commands and deaths against the real kernel, seen from outside.

Each worker holds a lock of its slot, which the kernel gives to one only and takes back at its
death: that is how two in a slot would show. Strangers sit on the pids of workers that are gone:
that is how a signal to somebody else would.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import alive, child, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start
    from tests.support import Daemon

LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
PACE = "max_retry = -1\nbackoff_delay = 0.01\nbackoff_max = 0.1\n"
KINDS = {
    "quick": "numprocesses = 3\n",
    "slow": "numprocesses = 2\nready_after = 0.02\n",
    "deaf": "graceful_timeout = 0.1\n",
    "hiding": "graceful_timeout = 0.1\nmax_age = 1\nmax_age_variance = 1\n",
    "short": "numprocesses = 2\n",
    "hup": "send_hup = True\nnumprocesses = 2\n",
    "single": "singleton = True\n",
}
BEHAVE = {"hup": "quick", "single": "slow"}
BREAKABLE = ("quick", "hup", "single")
NAMES = (*KINDS, "failing")
STEADY = tuple(name for name in KINDS if name != "short")


def configuration() -> str:
    """`python` in the folder comes and goes; those who start by it fail meanwhile."""
    text = f"[watcher:failing]\ncmd = /nowhere/program\n{PACE}"
    for name, options in KINDS.items():
        how = BEHAVE.get(name, name)
        cmd = child("hold_slot", "FOLDER", f"{name}.$(circus.wid)", how)
        if name in BREAKABLE:
            cmd = cmd.replace(sys.executable, "FOLDER/python")
        text += f"[watcher:{name}]\ncmd = {cmd}\n{PACE}{options}"
    return text


class Strangers:
    """Processes that take the pids of workers as soon as they are free."""

    def __init__(self) -> None:
        self.sitting: list[subprocess.Popen[bytes]] = []

    def take(self, pid: int) -> None:
        """Try to be `pid`, with a session and a group of that number; others may be faster."""
        try:
            LAST_PID.write_text(str(pid - 1))
        except OSError:  # only root may choose pids
            return
        one = subprocess.Popen(["sleep", "3600"], start_new_session=True)
        if one.pid == pid:
            self.sitting.append(one)
        else:
            end(one)

    def check(self) -> None:
        """Nobody sent them anything. Raises AssertionError."""
        for one in self.sitting:
            assert one.poll() is None, f"a stranger on pid {one.pid} ended with {one.returncode}"

    def close(self) -> None:
        for one in self.sitting:
            end(one)


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def change(chance: random.Random) -> dict[str, object]:
    """Something to set: cheap, or with a reload, or with a program that does not stand."""
    return chance.choice(
        [
            {"numprocesses": chance.randint(0, 4)},
            {"graceful_timeout": chance.choice([0, 0.1, 0.2])},
            {"max_age": chance.choice([0, 1])},
            {"warmup_delay": chance.choice([0, 0.02])},
            {"ready_after": chance.choice([0, 0.02])},
            {"env": {"N": str(chance.random())}},
        ]
    )


VERBS = ["start", "stop", "restart", "reload", "incr", "decr", "set", "kill", "signal"]


def act(daemon: Daemon, chance: random.Random, strangers: Strangers) -> None:
    name = chance.choice(NAMES)
    verb = chance.choice([*VERBS, "die", "break"])
    if verb == "break":
        toggle(daemon)
    elif verb == "die":
        die(daemon, name, chance, strangers)
    else:
        answer = daemon.call(verb, name=name, **properties(verb, chance))
        if answer["status"] != "ok":  # refused before anything was touched
            assert re.search("does not exist|a singleton cannot", answer["reason"]), answer


def properties(verb: str, chance: random.Random) -> dict[str, object]:
    match verb:
        case "set":
            return {"options": change(chance)}
        case "reload":
            return {"sequential": chance.random() < 0.5, "graceful": chance.random() < 0.8}
        case "kill":
            signum = chance.choice(["TERM", "USR2", "KILL"])
            return {"graceful_timeout": chance.choice([0, 0.05, 0.2]), "signum": signum}
        case "signal":
            return {"signum": chance.choice(["HUP", "CONT", "KILL"])}
        case _:
            return {}


def die(daemon: Daemon, name: str, chance: random.Random, strangers: Strangers) -> None:
    for pid in daemon.pids(name)[:1]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, chance.choice([signal.SIGKILL, signal.SIGTERM]))
        if chance.random() < 0.5 and name not in ("deaf", "slow", "single"):
            wait_until(partial(gone, pid))
            strangers.take(pid)


def toggle(daemon: Daemon) -> None:
    """Take the program of some away, or bring it back."""
    program = daemon.folder / "python"
    if program.is_symlink():
        program.unlink()
    else:
        program.symlink_to(sys.executable)


def diary(daemon: Daemon) -> list[str]:
    return (daemon.folder / "diary").read_text().splitlines()


def locked(daemon: Daemon, name: str) -> set[str]:
    """The slots of a watcher whose lock is held at this moment, as the kernel tells."""
    locks = Path("/proc/locks").read_text().splitlines()
    held = {int(line.split()[5].rpartition(":")[2]) for line in locks if "->" not in line}
    files = daemon.folder.glob(f"{name}*.held")
    return {file.stem for file in files if file.stat().st_ino in held}


def gone(pid: int) -> bool:
    return not alive(pid)


def is_complete(daemon: Daemon, name: str) -> bool:
    return len(locked(daemon, name)) == count_of(name)


def count_of(name: str) -> int:
    return 1 if name == "single" else 2


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_t15_t16_t32_random_commands_converge(circusd: Start, seed: int) -> None:
    daemon, strangers, chance = circusd(configuration()), Strangers(), random.Random(seed)
    try:
        for _number in range(150):
            act(daemon, chance, strangers)
        if not (daemon.folder / "python").is_symlink():
            toggle(daemon)
        for name in STEADY:
            options = {"max_age": 0, "numprocesses": count_of(name)}
            assert daemon.call("set", name=name, options=options)["status"] == "ok"
            assert daemon.call("start", name=name)["status"] == "ok"
        for name in STEADY:
            answer = daemon.call("wait", names=[name], until="settled", timeout=20)
            assert answer["status"] == "ok", answer
            assert len(daemon.pids(name)) == count_of(name)
            wait_until(partial(is_complete, daemon, name))
        assert daemon.call("stop", waiting=True)["status"] == "ok"
        assert locked(daemon, "") == set()
        assert set(daemon.statuses().values()) == {"stopped"}
        assert [line for line in diary(daemon) if line.startswith("two")] == []
        strangers.check()
    finally:
        strangers.close()
