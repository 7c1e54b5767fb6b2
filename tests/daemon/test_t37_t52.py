"""What workers are given, and what others may find of circusd (T5, T19, T37, T41, T52)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import alive, child, children, ready, text_of, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start
    from tests.support import Daemon


@pytest.mark.parametrize("program", ["double_fork", "setsid_child"])
def test_t5_a_kill_takes_the_whole_tree(circusd: Start, program: str) -> None:
    daemon = circusd(f"[watcher:w]\ncmd = {child(program)}\ngraceful_timeout = 0.5\n")
    hidden = wait_until(lambda: ready(daemon.text()))[0]
    (leader,) = daemon.pids("w")
    answer = daemon.call("kill", name="w", pid=leader, waiting=True)
    assert answer["status"] == "ok"
    assert not alive(leader)
    assert not alive(hidden)
    # and then another takes its place
    wait_until(lambda: len(ready(daemon.text())) == 2)
    assert daemon.pids("w") not in ([], [leader])


def environ(daemon: Daemon, name: str) -> list[dict[str, str]]:
    """What each worker was started with."""
    found = []
    for pid in daemon.pids(name):
        text = Path(f"/proc/{pid}/environ").read_text()
        pairs = (item.partition("=") for item in text.split("\0") if item)
        found.append({key: value for key, _, value in pairs if key != "CIRCUS_WORKER"})
    return found


@pytest.mark.parametrize("sequential", [False, True])
def test_t19_a_reload_takes_what_was_changed_and_removed(
    circusd: Start,
    sequential: bool,  # noqa: FBT001
) -> None:
    text = "[watcher:w]\ncmd = sleep 3600\nnumprocesses = 2\n"
    daemon = circusd(f"{text}[env:w]\nSAME = 1\nOTHER = 2\nGONE = 3\n")
    old = daemon.wait_pids("w", 2)
    before = {"SAME": "1", "OTHER": "2", "GONE": "3"}
    wait_until(lambda: environ(daemon, "w") == [before, before])
    daemon.write(f"{text}[env:w]\nSAME = 1\nOTHER = 4\nNEW = 5\n")
    assert daemon.call("reloadconfig", waiting=True)["status"] == "ok"
    after = {"SAME": "1", "OTHER": "4", "NEW": "5"}
    wait_until(lambda: environ(daemon, "w") == [after, after])
    assert not set(daemon.pids("w")) & set(old)
    daemon.call("reload", name="w", sequential=sequential, waiting=True)
    wait_until(lambda: environ(daemon, "w") == [after, after])


def test_t37_workers_get_three_descriptors_and_no_more(circusd: Start) -> None:
    """Whatever circusd has open: sockets, pipes, files, connections, other workers."""
    lists = child("list_descriptors")
    noise = "stdout_stream.filename = FOLDER/noise\nstderr_stream.filename = FOLDER/noise\n"
    watchers = {
        "plain": "",
        "heard": "stdout_stream.filename = FOLDER/heard\nstderr_stream.filename = FOLDER/heard\n",
        "launched": "nice = 5\n",
        "deaf": "close_child_stdout = True\nclose_child_stderr = True\n",
    }
    daemon = circusd(
        f"[watcher:noise]\ncmd = sleep 3600\nnumprocesses = 3\n{noise}"
        "[socket:s]\npath = FOLDER/s\n[socket:t]\nhost = 127.0.0.1\nport = 0\n"
        + "".join(
            f"[watcher:{name}]\ncmd = {lists} FOLDER/fds.{name}\nnumprocesses = 3\n{options}"
            for name, options in watchers.items()
        )
    )
    for name in watchers:
        file = daemon.folder / f"fds.{name}"
        wait_until(lambda: text_of(file).count("\n") == 3)  # noqa: B023
        assert file.read_text() == "0 1 2\n" * 3


def test_t41_a_dead_daemon_is_replaced(circusd: Start) -> None:
    text = (
        "[watcher:w]\ncmd = sleep 3600\nnumprocesses = 0\n"
        "[socket:s]\npath = FOLDER/s\nreplace = True\n"
    )
    first = circusd(text)
    command = [sys.executable, "-m", "circus.circusd", str(first.config)]
    environment = {**os.environ, "RUNTIME_DIRECTORY": str(first.folder)}
    second = subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert second.returncode == 1
    assert "Traceback" not in second.stderr
    assert first.call("status")["status"] == "ok"
    first.process.kill()
    first.process.wait()
    assert (first.folder / "control").is_socket()
    third = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        assert first.call("dstats")["info"]["pid"] == third.pid
    finally:
        third.send_signal(signal.SIGTERM)
        assert third.wait(timeout=30) == 0


def test_t52_nobody_on_the_network_finds_it(circusd: Start) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\n")
    daemon.wait_pids("w", 1)
    mine = set()
    for pid in [daemon.process.pid, *children(daemon.process.pid)]:
        folder = Path(f"/proc/{pid}/fd")
        mine |= {os.readlink(fd) for fd in folder.iterdir() if fd.is_symlink()}
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6", "packet"):
        for line in Path(f"/proc/{daemon.process.pid}/net/{table}").read_text().splitlines()[1:]:
            inode = line.split()[-1 if table == "packet" else 9]
            assert f"socket:[{inode}]" not in mine
    for name in ("control", "pubsub"):
        assert (daemon.folder / name).stat().st_mode & 0o077 == 0
