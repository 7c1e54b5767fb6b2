"""Plugins and circusd-stats that reach circusd through ssh."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from circus.client import CircusClient
from circus.consumer import CircusConsumer
from circus.exc import CallError
from circus.stats.client import StatsClient
from tests.compat.programs import ROOT, Program
from tests.sshd import sshd as sshd
from tests.sshd import temporary as temporary
from tests.support import Daemon, pid_tree, text_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sshd import Server

PLUGIN = "tests.plugins.written.told.Tells"
CONFIG = f"""
[circus]
statsd = True
ssh_server = SERVER
[plugin:told]
use = {PLUGIN}
file = told
[watcher:w]
cmd = sleep 3600
"""
PROGRAM = f"""
import sys
from circus import get_arbiter

told = {{"use": "{PLUGIN}", "file": "told", "name": "told"}}
watcher = {{"name": "w", "cmd": "sleep 3600"}}
arbiter = get_arbiter([watcher], plugins=[told], background=True, ssh_server=sys.argv[1])
arbiter.start()
print(arbiter.ssh_server, flush=True)
input()
arbiter.stop()
"""


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin is, by whoever is started."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def server(sshd: Server, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Lets in whatever circusd starts: it has the key, as in the configuration of ssh."""
    assert temporary.is_dir()
    monkeypatch.setenv("CIRCUS_SSH", f"ssh -F {sshd.folder}/ssh_config -i {sshd.key()}")
    return sshd


@pytest.fixture
def daemon(server: Server) -> Iterator[Daemon]:
    started = Daemon(CONFIG.replace("SERVER", server.name)).wait()
    yield started
    started.stop()


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text_of(file).splitlines()]


def connections(server: Server) -> int:
    return server.log.read_text().count("Accepted publickey")


def ssh_of(pid: int) -> int | None:
    """The ssh that a process of ours has started."""
    for one in pid_tree(pid):
        if text_of(Path(f"/proc/{one}/cmdline")).startswith("ssh\0"):
            return one
    return None


def events(daemon: Daemon) -> list[dict[str, Any]]:
    """What the plugin of CONFIG has heard."""
    return [line for line in lines(daemon.folder / "told") if "action" in line]


def test_a_plugin_hears_and_asks(daemon: Daemon) -> None:
    with daemon.restarting("w"):
        wait_until(lambda: events(daemon))
    (pid,) = daemon.wait_pids("plugin:told", 1)
    assert ssh_of(pid) is not None
    assert daemon.call("stop", name="plugin:told", waiting=True)["status"] == "ok"
    # what it asks when it is stopped is answered by the same way
    assert lines(daemon.folder / "told")[-1] == {"stopped": 3}


def test_statistics_come_by_one_connection(sshd: Server, daemon: Daemon) -> None:
    assert daemon.call("stop", name="plugin:told", waiting=True)["status"] == "ok"
    before = connections(sshd)
    (worker,) = daemon.wait_pids("w", 1)
    with StatsClient(f"ipc://{daemon.folder}/stats") as client:
        told = client.iter_messages()
        wait_until(lambda: f"stat.w.{worker}".encode() in next(told))
    assert connections(sshd) == before + 1


@pytest.mark.parametrize("name", ["plugin:told", "circusd-stats"])
def test_one_whose_connection_ends_is_started_again(daemon: Daemon, name: str) -> None:
    with StatsClient(f"ipc://{daemon.folder}/stats") as client:
        messages = iter(client)
        next(messages)
        with daemon.restarting("w"):
            wait_until(lambda: events(daemon))
        (before,) = daemon.wait_pids(name, 1)
        os.kill(wait_until(lambda: ssh_of(before)), signal.SIGKILL)
        wait_until(lambda: daemon.pids(name) not in ([], [before]))
        (after,) = daemon.wait_pids(name, 1)
        # who listens subscribes anew while waiting for a message
        wait_until(lambda: next(messages) and ssh_of(after))
    program = "circus-plugin" if name.startswith("plugin:") else name
    assert f"{program}: The connection through ssh has ended: " in daemon.text()


def test_a_program_has_plugins_that_go_through_ssh(server: Server, tmp_path: Path) -> None:
    (tmp_path / "tests").symlink_to(ROOT / "tests")  # beside the script
    program = Program(tmp_path, PROGRAM, server.name)
    assert program.line() == server.name
    wait_until(lambda: lines(tmp_path / "told"))
    wait_until(lambda: ssh_of(program.process.pid))
    program.type("\n")
    status, _, _ = program.end()
    assert (status, lines(tmp_path / "told")[-1]) == (0, {"stopped": 2})


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize(
    ("module", "name", "words"),
    [
        ("circus.plugins", "circus-plugin", ("--config", "file:told", PLUGIN)),
        ("circus.stats", "circusd-stats", ("--statspoint", "ipc://FOLDER/stats")),
    ],
)
def test_by_hand_it_says_in_one_line_why_nobody_lets_it_in(
    sshd: Server, tmp_path: Path, module: str, name: str, words: tuple[str, ...]
) -> None:
    endpoint = f"ipc://{tmp_path}/stats"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", module, "--ssh", sshd.name, "--log-level", "error"),
            *(word.replace("FOLDER", str(tmp_path)) for word in words),
        ],
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    wanted = StatsClient(endpoint)  # without anybody who listens circusd-stats does nothing
    _, told = process.communicate(timeout=60)
    wanted.stop()
    user = sshd.name.partition(":")[0]
    say = f"cannot reach {sshd.name} through ssh: {user}: Permission denied (publickey)."
    assert (process.returncode, told) == (1, f"{name}: {say}\n")


def test_what_is_no_server_is_found_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "circus.ini"
    file.write_text("[circus]\nssh_server = -oProxyCommand=x\n")
    ended = subprocess.run(
        [sys.executable, "-m", "circus.circusd", "--check", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == os.EX_CONFIG
    assert "'-oProxyCommand=x' is not [user@]host[:port]" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.usefixtures("temporary")
def test_of_another_machine_the_circusd_of_the_system_is_meant(sshd: Server) -> None:
    """And when nobody tells them, no connection is left behind."""
    for made_by, what in (
        (partial(CircusConsumer, ""), "pubsub"),
        (CircusClient, "control"),
        (StatsClient, "stats"),
    ):
        with pytest.raises(CallError, match=f"^No circusd listens at ipc:///run/circus/{what} on"):
            made_by(ssh_server=sshd.name, ssh_keyfile=sshd.key())
