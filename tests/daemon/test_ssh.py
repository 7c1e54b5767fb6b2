"""Remote circusds, through a real sshd on loopback and the real ssh."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from circus.client import AsyncCircusClient, CircusClient
from circus.consumer import CircusConsumer
from circus.exc import CallError
from circus.tunnel import Tunnel
from tests.sshd import sshd as sshd
from tests.sshd import temporary as temporary
from tests.support import (
    Daemon,
    alive,
    circusctl,
    free_port,
    is_connected,
    pid_tree,
    read_until,
    wait_until,
)
from tests.tmux import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sshd import Server


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    """One that only the other side of ssh can name: nothing here tells where it is."""
    started = Daemon("[watcher:web]\ncmd = sleep 3600\n[watcher:db]\ncmd = sleep 3600\n").wait()
    yield started
    started.stop()


def through(sshd: Server, *words: str, key: str = "user") -> subprocess.CompletedProcess[str]:
    """Run circusctl with a key that the server may know."""
    return circusctl("--ssh_keyfile", sshd.key(key), *words)


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize("flag", ["--ssh", "-H", "--host"])
def test_it_asks_and_changes(sshd: Server, daemon: Daemon, flag: str) -> None:
    way = (flag, sshd.name, "--endpoint", daemon.endpoint)
    ended = through(sshd, *way, "status")
    assert (ended.stdout, ended.stderr, ended.returncode) == ("db: active\nweb: active\n", "", 0)
    ended = through(sshd, *way, "scale", "web=2", "db=1", "--waiting")
    assert (ended.stdout, ended.stderr, ended.returncode) == ("web: ok\ndb: ok\n", "", 0)
    assert len(daemon.pids("web")) == 2
    assert through(sshd, *way, "incr", "nope").stderr == "error: program nope not found\n"


@pytest.mark.usefixtures("temporary")
def test_it_goes_to_a_tcp_endpoint_too(sshd: Server) -> None:
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    daemon = Daemon(f"[circus]\nendpoint = {endpoint}\n[watcher:w]\ncmd = sleep 3600\n")
    try:
        way = ("-H", sshd.name, "--endpoint", endpoint, "list")
        wait_until(lambda: through(sshd, *way).stdout == "w\n")
    finally:
        daemon.stop()


def listening(sshd: Server, daemon: Daemon) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "circus.circusctl", "-H", sshd.name, "--ssh_keyfile"),
            *(sshd.key(), "--endpoint", daemon.endpoint, "listen", "watcher.web.spawn"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_listens_and_when_it_ends_nothing_is_left(
    sshd: Server, daemon: Daemon, temporary: Path, signum: int
) -> None:
    with listening(sshd, daemon) as process:
        assert process.stdout is not None
        with daemon.restarting("web"):
            line = process.stdout.readline()
        assert line.startswith("watcher.web.spawn: {")
        below = [pid for pid in pid_tree(process.pid) if pid != process.pid]
        assert below
        (folder,) = temporary.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        process.send_signal(signum)
        process.wait(timeout=30)
    wait_until(lambda: not any(map(alive, below)))


@pytest.mark.usefixtures("temporary")
def test_what_ssh_says_is_told_in_one_line(sshd: Server, daemon: Daemon) -> None:
    way = ("-H", sshd.name, "--endpoint")
    refused = through(sshd, *way, daemon.endpoint, "status", key="wrong")
    user = sshd.name.partition(":")[0]
    nowhere = through(sshd, *way, "ipc:///tmp/nowhere", "status")
    closed = through(sshd, *way, "tcp://127.0.0.1:1", "listen")
    odd = through(sshd, *way, "ipc:///tmp/a:b", "status")
    nobody = through(sshd, "-H", "127.0.0.1:1", "status")
    option = through(sshd, "--host=-oProxyCommand=x", "status")
    for ended, said in (
        (refused, f"cannot reach {sshd.name} through ssh: {user}: Permission denied (publickey)."),
        (nowhere, f"No circusd listens at ipc:///tmp/nowhere on {sshd.name}; is it running? ("),
        (closed, f"No circusd listens at tcp://127.0.0.1:1 on {sshd.name}; is it running? ("),
        (odd, "cannot reach 'ipc:///tmp/a:b' through ssh: write tcp://host:port or ipc:///path"),
        (nobody, "cannot reach 127.0.0.1:1 through ssh: ssh: connect to host 127.0.0.1 port 1: "),
        (option, "cannot connect through ssh: '-oProxyCommand=x' is not [user@]host[:port]"),
    ):
        assert ended.stderr.startswith(said)
        assert ended.stderr.count("\n") == 1
        assert (ended.stdout, ended.returncode) == ("", 1)


@pytest.mark.usefixtures("temporary")
def test_without_an_endpoint_it_is_the_usual_one_of_that_machine(
    sshd: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIRCUSCTL_ENDPOINT", "ipc:///tmp/nowhere")  # which is one of this machine
    assert (
        "No circusd listens at ipc:///tmp/nowhere on"
        in through(sshd, "--ssh", sshd.name, "list").stderr
    )
    ended = through(sshd, "-H", sshd.name, "--endpoint", "ipc:///run/circus/control", "list")
    assert through(sshd, "-H", sshd.name, "list").stderr == ended.stderr


@pytest.mark.usefixtures("temporary")
def test_a_session_has_one_connection(sshd: Server, daemon: Daemon) -> None:
    before = sshd.log.read_text().count("Accepted publickey")
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "circus.circusctl", "-H", sshd.name, "--ssh_keyfile"),
            *(sshd.key(), "--endpoint", daemon.endpoint),
        ],
        input="list\nstatus db\nnumwatchers\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout.endswith(
        "(circusctl) db,web\n(circusctl) active\n(circusctl) 2\n(circusctl) \n"
    )
    assert sshd.log.read_text().count("Accepted publickey") == before + 1


@pytest.mark.usefixtures("temporary")
def test_ctrl_c_ends_a_command_of_a_session_and_not_its_connection(
    sshd: Server, daemon: Daemon
) -> None:
    before = sshd.log.read_text().count("Accepted publickey")
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [
            *("setsid", "--ctty", "--wait", sys.executable, "-m", "circus.circusctl"),
            *("-H", sshd.name, "--ssh_keyfile", sshd.key(), "--endpoint", daemon.endpoint),
        ],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "dumb", "XDG_STATE_HOME": str(daemon.folder)},
    )
    os.close(theirs)
    try:
        read_until(ours, "(circusctl) ")
        os.write(ours, b"wait db --for stopped\n")
        wait_until(lambda: any(map(is_connected, pid_tree(process.pid))))
        os.write(ours, b"\x03")
        read_until(ours, "(circusctl) ")
        os.write(ours, b"list\n")
        # only at a prompt is it an end of the input
        read_until(ours, "db,web\r\n(circusctl) ")
        os.write(ours, b"\x04")
        assert process.wait(timeout=30) in (0, 1)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert sshd.log.read_text().count("Accepted publickey") == before + 1


@pytest.mark.usefixtures("temporary")
def test_ssh_may_ask_on_the_terminal(sshd: Server, daemon: Daemon) -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [
            *("setsid", "--ctty", "--wait", sys.executable, "-m", "circus.circusctl"),
            *("-H", sshd.name, "--ssh_keyfile", sshd.key("locked")),
            *("--endpoint", daemon.endpoint, "list"),
        ],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        read_until(ours, "Enter passphrase for key")
        os.write(ours, b"open sesame\n")
        read_until(ours, "db,web")
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.mark.usefixtures("temporary")
def test_circus_top_has_a_screen_once_ssh_has_asked(sshd: Server, daemon: Daemon) -> None:
    command = [
        *(sys.executable, "-m", "circus.top", "--ssh", sshd.name),
        *("--ssh_keyfile", sshd.key("locked"), "--control", daemon.endpoint),
    ]
    with Screen(*command) as screen:
        assert "NAME" not in screen.shows("Enter passphrase for key")
        screen.type("open sesame", "Enter")
        shown = screen.shows("web.1", "q End")
        assert shown.startswith("circus-top")
        wait_until(lambda: "passphrase" not in screen.text())
        screen.type("q")
        wait_until(lambda: "web.1" not in screen.text())


@pytest.mark.usefixtures("temporary")
def test_circus_top_waits_for_a_circusd_behind_ssh(sshd: Server, daemon: Daemon) -> None:
    endpoint = f"ipc://{daemon.folder}/later"
    command = [
        *(sys.executable, "-m", "circus.top", "--ssh", sshd.name),
        *("--ssh_keyfile", sshd.key(), "--control", endpoint),
    ]
    with Screen(*command) as screen:
        screen.shows("No circusd listens at")
        later = Daemon("[watcher:w]\ncmd = sleep 3600\n", endpoint=endpoint).wait()
        try:
            screen.shows("w.1", "No statistics")
            screen.type("q")
            wait_until(lambda: "w.1" not in screen.text())
        finally:
            later.stop()


@pytest.mark.usefixtures("temporary")
def test_circus_top_says_in_one_line_why_nobody_lets_it_in(sshd: Server) -> None:
    command = [
        *(sys.executable, "-m", "circus.top", "--once", "--ssh", sshd.name),
        *("--ssh_keyfile", sshd.key("wrong")),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    user = sshd.name.partition(":")[0]
    say = f"cannot reach {sshd.name} through ssh: {user}: Permission denied (publickey)."
    assert (ended.returncode, ended.stderr) == (1, f"circus-top: {say}\n")


# -- the library --------------------------------------------------------------------------------


@pytest.mark.usefixtures("temporary")
def test_clients_reach_the_other_machine(sshd: Server, daemon: Daemon) -> None:
    client = CircusClient(endpoint=daemon.endpoint, ssh_server=sshd.name, ssh_keyfile=sshd.key())
    assert client.send_message("list")["watchers"] == ["db", "web"]
    client.stop()

    async def ask() -> None:
        client = AsyncCircusClient(
            endpoint=daemon.endpoint, ssh_server=sshd.name, ssh_keyfile=sshd.key()
        )
        answers = await asyncio.gather(*(client.send_message("list") for _ in range(3)))
        assert [answer["watchers"] for answer in answers] == [["db", "web"]] * 3
        await client.stop()

    asyncio.run(ask())


@pytest.mark.usefixtures("temporary")
def test_a_consumer_reaches_the_other_machine(sshd: Server, daemon: Daemon) -> None:
    with (
        CircusConsumer(
            ["watcher.web."],
            endpoint=f"ipc://{daemon.folder}/pubsub",
            ssh_server=sshd.name,
            ssh_keyfile=sshd.key(),
        ) as consumer,
        daemon.restarting("web"),
    ):
        topic, message = next(consumer.iter_messages())
    assert topic.startswith(b"watcher.web.")
    assert "time" in json.loads(message)


@pytest.mark.usefixtures("temporary")
def test_a_connection_that_ends_is_told_and_made_anew(sshd: Server, daemon: Daemon) -> None:
    client = CircusClient(
        endpoint=daemon.endpoint, ssh_server=sshd.name, ssh_keyfile=sshd.key(), timeout=0.5
    )
    for pid in pid_tree(os.getpid()):
        if _command(pid).startswith("ssh\0"):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: client.silence().startswith("Timed out. The connection through ssh has "))
    with pytest.raises(CallError, match="The connection through ssh has ended: "):
        client.send_message("list")
    client.stop()


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


@pytest.mark.usefixtures("temporary")
def test_a_tunnel_is_one_connection_for_many_endpoints(sshd: Server, daemon: Daemon) -> None:
    tunnel = Tunnel(sshd.name, sshd.key())
    try:
        ways = [tunnel.forward(f"ipc://{daemon.folder}/{name}") for name in ("control", "pubsub")]
        assert len(set(ways)) == 2
        assert tunnel.forward(daemon.endpoint) == ways[0]
        assert tunnel.failure() is None
    finally:
        tunnel.close()
    assert tunnel.failure() is not None
