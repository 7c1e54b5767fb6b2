"""Whom the sockets are open to, and those whom a configuration names and who are not there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zmq
from zmq.utils.monitor import recv_monitor_message

from tests.daemon.test_access import ADMINS, ONE, OWN, USERS, User, message, open_to_others, speak
from tests.support import as_user, being, needs_root, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start


@needs_root
def test_the_sockets_are_as_wide_as_it_takes(circusd: Start) -> None:
    for lists, mode, gid in (
        ("", 0o600, 0),
        (f"admin_groups = {ADMINS}\n", 0o660, ADMINS),
        (f"admin_groups = {ADMINS}\nread_users = *\n", 0o666, 0),
    ):
        daemon = circusd(f"[circus]\n{lists}[watcher:one]\ncmd = sleep 3600\n")
        for name in ("control", "pubsub"):
            found = (daemon.folder / name).stat()
            assert (found.st_mode & 0o777, found.st_uid, found.st_gid) == (mode, 0, gid)
        daemon.call("quit")
        daemon.process.wait(timeout=30)


@needs_root
def test_the_sockets_follow_the_configuration(circusd: Start) -> None:
    daemon = open_to_others(circusd("[watcher:one]\ncmd = sleep 3600\n"))
    control = daemon.folder / "control"
    assert control.stat().st_mode & 0o777 == 0o600
    daemon.call("set", name="one", options={"operate_users": str(ONE)}, waiting=True)
    wait_until(lambda: control.stat().st_mode & 0o777 == 0o666)
    one = USERS["operates on one"]
    assert speak(daemon, one, [message("restart", "one", "")])[0]["status"] == "ok"
    daemon.call("set", name="one", options={"operate_users": None}, waiting=True)
    wait_until(lambda: control.stat().st_mode & 0o777 == 0o600)


@needs_root
@pytest.mark.parametrize("meanwhile", [False, True])
def test_nobody_stays_through_a_restart_that_names_them_no_more(
    circusd: Start, *, meanwhile: bool
) -> None:
    """Nor who came in by a reload, though circusd is asked for what it had at its start."""
    watcher = "[watcher:one]\ncmd = sleep 3600\n"
    named = f"[circus]\nread_users = {ONE}\n{watcher}"
    daemon = open_to_others(circusd(watcher if meanwhile else named))
    daemon.write(named)
    assert daemon.call("reloadconfig", waiting=True)["status"] == "ok"
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    sub = context.socket(zmq.SUB)
    monitor = sub.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
    sub.subscribe(b"")
    try:
        wait_until(lambda: (daemon.folder / "pubsub").stat().st_mode & 0o777 == 0o666)
        with being(ONE):
            sub.connect(f"ipc://{daemon.folder}/pubsub")
            assert monitor.poll(20_000)
        assert recv_monitor_message(monitor)["event"] == zmq.EVENT_HANDSHAKE_SUCCEEDED
        daemon.write(watcher)
        assert daemon.call("restart")["status"] == "ok"
        assert monitor.poll(20_000)
        assert recv_monitor_message(monitor)["event"] == zmq.EVENT_DISCONNECTED
    finally:
        context.destroy(linger=0)


@needs_root
def test_the_endpoint_owner_administers_and_adds_as_itself(circusd: Start) -> None:
    config = f"[circus]\nendpoint_owner = {OWN}\n[watcher:one]\ncmd = sleep 3600\n"
    daemon = open_to_others(circusd(config))
    assert (daemon.folder / "control").stat().st_uid == OWN
    assert (daemon.folder / "control").stat().st_mode & 0o777 == 0o600
    asked = {"name": "mine", "cmd": "sleep 3600", "start": True, "waiting": True}
    owner = User(OWN, (OWN,), 3, 3)
    (answer,) = speak(daemon, owner, [{"command": "add", "properties": asked}])
    assert answer["status"] == "ok"
    (pid,) = daemon.pids("mine")
    assert os.stat(f"/proc/{pid}").st_uid == OWN


@needs_root
@pytest.mark.parametrize(
    ("owner", "says"),
    [("nobdy", "there is no user 'nobdy'"), ("root", "only root can give a socket to 'root'")],
)
def test_it_does_not_start_when_the_endpoint_owner_cannot_have_the_socket(
    tmp_path: Path, owner: str, says: str
) -> None:
    config = tmp_path / "circus.ini"
    config.write_text(f"[circus]\nendpoint_owner = {owner}\n[watcher:one]\ncmd = sleep 3600\n")
    os.chown(tmp_path, OWN, OWN)
    ended = subprocess.run(
        [*as_user(OWN, OWN), "circusd", str(config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "RUNTIME_DIRECTORY": str(tmp_path)},
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].endswith(f"endpoint_owner: {says}")


@needs_root
def test_users_that_there_are_not_are_told_and_let_in_nobody(circusd: Start) -> None:
    watcher = "[watcher:one]\ncmd = sleep 3600\n"
    wrong = f"[circus]\nadmin_users = root, nobdy\n{watcher}operate_groups = zzqx\n"
    daemon = circusd(wrong)
    says = (
        f"{daemon.config}:2: admin_users: there is no user 'nobdy', did you mean 'nobody'?",
        f"{daemon.config}:5: operate_groups: there is no group 'zzqx'",
    )
    for one in says:
        assert f"Nobody is let in: {one}" in daemon.text()
    checked = subprocess.run(
        [sys.executable, "-m", "circus.circusd", "--check", str(daemon.config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (checked.returncode, checked.stderr.splitlines()) == (os.EX_CONFIG, list(says))
    daemon.write(watcher)
    assert daemon.call("reloadconfig", waiting=True)["status"] == "ok"
    daemon.write(wrong)
    assert daemon.call("reloadconfig", waiting=True)["reason"].splitlines() == list(says)
