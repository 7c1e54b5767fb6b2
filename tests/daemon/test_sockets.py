"""Sockets that circusd holds, and the programs that serve them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import child, text_of, ticks, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start
    from tests.support import Daemon

BIN = Path(sys.executable).parent


def listed(daemon: Daemon) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in daemon.call("listsockets")["sockets"]}


def connect(daemon: Daemon, name: str) -> socket.socket:
    """A connection to a socket by its name."""
    found = listed(daemon)[name]
    if "path" not in found:
        return socket.create_connection((found["host"], found["port"]), timeout=30)
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(30)
    client.connect(found["path"])
    return client


def answer(daemon: Daemon, name: str, request: bytes = b"") -> str:
    """What the program behind a socket says, until it closes."""
    with connect(daemon, name) as client:
        if request:
            client.sendall(request)
        with client.makefile("rb") as file:
            return file.read().decode()


@pytest.fixture(scope="module")
def sd_listen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program written for systemd."""
    program = tmp_path_factory.mktemp("bin") / "sd_listen"
    source = Path(__file__).parents[1] / "children" / "sd_listen.c"
    subprocess.run(["cc", "-Wall", "-Werror", "-o", program, source], check=True)
    return program


# -- who gets what --------------------------------------------------------------------


def test_t37_t38_each_worker_has_exactly_the_sockets_that_it_asked_for(circusd: Start) -> None:
    lists = child("list_descriptors")
    watchers = {
        "none": (f"{lists} FOLDER/fds.none\n", "0 1 2"),
        "one": (f"{lists} FOLDER/fds.one $(circus.sockets.a)\n", "0 1 2 3"),
        "option": (f"{lists} FOLDER/fds.option\nsockets = c, A\n", "0 1 2 3 4"),
        "args": (f"{lists}\nargs = FOLDER/fds.args ((circus.sockets.b))\n", "0 1 2 3"),
        "variable": (f"{lists} FOLDER/fds.variable\n[env:variable]\nX = $(circus.sockets.b)\n",
            "0 1 2 3"),
        "input": (f"{lists} FOLDER/fds.input\nstdin_socket = a\n", "0 1 2"),
    }  # fmt: skip
    daemon = circusd(
        "[socket:a]\npath = FOLDER/a\n[socket:b]\npath = FOLDER/b\n[socket:c]\npath = FOLDER/c\n"
        + "".join(
            f"[watcher:{name}]\nnumprocesses = 2\ncmd = {options}"
            for name, (options, _) in watchers.items()
        )
    )
    for name, (_, expected) in watchers.items():
        file = daemon.folder / f"fds.{name}"
        wait_until(lambda: text_of(file).count("\n") == 2)  # noqa: B023
        assert file.read_text() == f"{expected}\n" * 2, name
    lines = Path("/proc/net/unix").read_text().splitlines()
    paths = {line.split()[-1]: line.split()[6] for line in lines}
    (pid, _) = daemon.pids("option")
    assert [os.readlink(f"/proc/{pid}/fd/{number}") for number in (3, 4)] == [
        f"socket:[{paths[str(daemon.folder / name)]}]" for name in ("c", "a")
    ]


def test_a_socket_that_there_is_not_is_refused_at_run_time(circusd: Start) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\n[socket:web]\npath = FOLDER/s\n")
    say = "nobody declares [socket:wbe], did you mean 'web'?"
    options = {"sockets": ["wbe"]}
    answer = daemon.call("add", name="x", cmd="sleep 1", options=options)
    assert answer["reason"].endswith(f"sockets: {say}")
    answer = daemon.call("set", name="w", options={"cmd": "sleep $(circus.sockets.wbe)"})
    assert answer["reason"].endswith(f"cmd: {say}")
    assert daemon.call("list")["watchers"] == ["w"]


def test_programs_of_circus_0_19_find_sockets_under_the_numbers_that_are_told(
    circusd: Start,
) -> None:
    """As its circusd-stats does: it is started with `use_sockets`, and asks for their numbers."""
    many = "".join(f"[socket:s{n}]\nhost = 127.0.0.1\nport = 0\n" for n in range(4))
    daemon = circusd(f"{many}[watcher:stats]\ncmd = sleep 3600\nuse_sockets = True\n")
    (pid,) = daemon.wait_pids("stats", 1)
    for one in listed(daemon).values():
        there, here = (
            os.readlink(f"/proc/{of}/fd/{one['fd']}") for of in (pid, daemon.process.pid)
        )
        assert there == here


# -- programs written for systemd -----------------------------------------------------


def test_a_program_for_systemd_serves_its_sockets_as_several_workers(
    circusd: Start, sd_listen: Path
) -> None:
    daemon = circusd(
        f"[watcher:w]\ncmd = {sd_listen}\nnumprocesses = 3\nsockets = web, other\n"
        "[watcher:all]\n"
        f"cmd = {sd_listen}\nuse_sockets = True\nnice = 1\nautostart = False\n"
        "[socket:other]\npath = FOLDER/other\nblocking = False\n"
        "[socket:web]\nhost = 127.0.0.1\nport = 0\nblocking = False\n"
    )
    workers = set(daemon.wait_pids("w", 3))
    found: set[int] = set()

    def everyone() -> bool:
        pid, number, names = answer(daemon, "web").split()
        assert (number, names) == ("3", "web:other")
        found.add(int(pid))
        return found >= workers

    wait_until(everyone)
    assert found == workers
    assert answer(daemon, "other").split()[1:] == ["4", "web:other"]
    # and one that says no more than that it wants them
    daemon.call("stop", name="w", waiting=True)
    assert daemon.call("start", name="all", waiting=True)["status"] == "ok"
    (pid,) = daemon.pids("all")
    for name in ("other", "web"):
        told, number, names = answer(daemon, name).split()
        assert int(told) == pid
        assert names.split(":")[int(number) - 3] == name


APPLICATION = """
import os

def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]

async def asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})
"""
GET = b"GET / HTTP/1.0\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("cmd", "below"),
    [
        (f"{BIN}/gunicorn --workers 1 application:wsgi\nsockets = web", 1),
        (f"{BIN}/gunicorn --workers 1 application:wsgi\nuse_sockets = True", 1),
        (f"{BIN}/uvicorn --lifespan off --fd $(circus.sockets.web) application:asgi", 0),
    ],
    ids=["gunicorn", "gunicorn-all", "uvicorn"],
)
def test_servers_run_as_they_are(circusd: Start, cmd: str, below: int) -> None:
    """`below`: the processes between a worker and who answers."""
    daemon = circusd(
        f"[watcher:w]\ncmd = {cmd}\nnumprocesses = 2\nautostart = False\n"
        "copy_env = True\nworking_dir = FOLDER\n"
        "[socket:web]\npath = FOLDER/web\n"
    )
    (daemon.folder / "application.py").write_text(APPLICATION)
    daemon.call("start", name="w", waiting=True)
    workers = set(daemon.wait_pids("w", 2))
    found: set[int] = set()

    def everyone() -> bool:
        head, _, body = answer(daemon, "web", GET).partition("\r\n\r\n")
        assert re.match(r"HTTP/1\.[01] 200 OK", head)
        pid = int(body)
        if below:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        found.add(pid)
        return found >= workers

    wait_until(everyone)
    assert found == workers


# -- one socket for each worker -------------------------------------------------------


@pytest.mark.parametrize("option", ["cmd", "args", "stdin_socket"])
def test_t36_with_so_reuseport_each_worker_listens_for_itself(circusd: Start, option: str) -> None:
    number = {"cmd": "$(circus.sockets.s)", "args": "", "stdin_socket": "0"}[option]
    more = {"args": "args = $(circus.sockets.s)\n", "stdin_socket": "stdin_socket = s\n"}
    daemon = circusd(
        f"[watcher:w]\ncmd = python3 -S FOLDER/serve.py {number}\ncopy_env = True\n"
        f"numprocesses = 3\nautostart = False\n{more.get(option, '')}"
        "[socket:s]\nhost = 127.0.0.1\nport = 0\nso_reuseport = True\n"
    )
    (daemon.folder / "serve.py").write_text(
        "import os, socket, sys\nsock = socket.socket(fileno=int(sys.argv[1]))\n"
        "while True:\n    sock.accept()[0].sendall(b'%d' % os.getpid())\n"
    )
    before = daemon.descriptors()
    with pytest.raises(ConnectionRefusedError):
        connect(daemon, "s")
    daemon.call("start", name="w", waiting=True)
    workers = set(daemon.wait_pids("w", 3))
    wait_until(lambda: daemon.descriptors() == before)
    found: set[int] = set()
    inodes = {os.readlink(f"/proc/{pid}/fd/{'0' if option == 'stdin_socket' else '3'}")
        for pid in workers}  # fmt: skip
    assert len(inodes) == 3

    def everyone() -> bool:
        with contextlib.suppress(ConnectionResetError):
            found.add(int(answer(daemon, "s")))
        return found >= workers

    wait_until(everyone)
    assert found == workers
    assert "one for each worker" in daemon.ctl("listsockets").stdout


def test_t36_respawning_with_sockets_of_their_own_keeps_descriptors_flat(circusd: Start) -> None:
    quick = "max_retry = -1\nbackoff_delay = 0\nbackoff_max = 0\n"
    daemon = circusd(
        f"[watcher:w]\ncmd = true $(circus.sockets.s)\nnumprocesses = 5\n{quick}"
        f"[watcher:bad]\ncmd = /nowhere $(circus.sockets.s)\n{quick}"
        "[socket:s]\nhost = 127.0.0.1\nport = 0\nso_reuseport = True\n",
        "--log-level",
        "critical",
    )
    daemon.call("stop", waiting=True)
    before = daemon.descriptors()
    daemon.call("start")

    wait_until(lambda: daemon.restarts("w") > 500, within=100)
    daemon.call("stop", waiting=True)
    wait_until(lambda: daemon.descriptors() <= before)


# -- on demand ------------------------------------------------------------------------


def test_a_datagram_starts_a_watcher(circusd: Start) -> None:
    code = (
        "import socket, sys\nwith socket.socket(fileno=int(sys.argv[1])) as sock:\n"
        "    text, who = sock.recvfrom(99)\n    sock.sendto(text.upper(), who)\n"
    )
    daemon = circusd(
        "[watcher:lazy]\ncmd = python3 -S FOLDER/answer.py $(circus.sockets.s)\ncopy_env = True\n"
        "on_demand = True\n[socket:s]\nhost = 127.0.0.1\nport = 0\ntype = SOCK_DGRAM\n"
    )
    (daemon.folder / "answer.py").write_text(code)
    place = listed(daemon)["s"]
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.settimeout(30)
        for _ in range(2):
            wait_until(lambda: daemon.call("status", name="lazy")["status"] == "stopped")
            client.sendto(b"hello", (place["host"], place["port"]))
            assert client.recv(9) == b"HELLO"


def test_one_that_was_stopped_by_hand_stays_stopped_and_nobody_spins(circusd: Start) -> None:
    daemon = circusd(
        "[watcher:lazy]\ncmd = sleep 3600\nsockets = s\non_demand = True\n"
        "[watcher:rude]\ncmd = true\nsockets = t\non_demand = True\nbackoff_delay = 0.2\n"
        "[watcher:broken]\ncmd = /nowhere\nsockets = u\non_demand = True\nmax_retry = 1\n"
        "backoff_max = 0.2\n"
        "[socket:s]\npath = FOLDER/s\n[socket:t]\npath = FOLDER/t\n[socket:u]\npath = FOLDER/u\n"
    )
    (lazy,) = daemon.call("why", name="lazy")["watchers"]
    assert lazy["waits_for"] == "a connection to s"
    assert daemon.call("stop", name="lazy", waiting=True)["status"] == "ok"
    (lazy,) = daemon.call("why", name="lazy")["watchers"]
    assert lazy["waits_for"] is None
    with connect(daemon, "s"), connect(daemon, "t"), connect(daemon, "u"):
        before = ticks(daemon.process.pid)
        # by the clock of a watcher that does not take its connection
        wait_until(lambda: daemon.text().count("rude.1 started") >= 6)
        wait_until(lambda: daemon.text().count("Starting broken") >= 3)
        assert ticks(daemon.process.pid) - before < 50  # hundredths of a second
        assert daemon.call("status", name="lazy")["status"] == "stopped"
        assert listed(daemon)["s"]["queue"] == 1
        assert daemon.call("start", name="lazy", waiting=True)["status"] == "ok"
    assert "Starting lazy" not in daemon.text()


def test_on_demand_goes_with_a_socket_that_moves(circusd: Start) -> None:
    text = "[watcher:lazy]\ncmd = sleep 3600\nsockets = s\non_demand = True\n[socket:s]\n"
    daemon = circusd(f"{text}path = FOLDER/s\n")
    daemon.write(f"{text}path = FOLDER/t\n")
    assert daemon.call("reloadconfig", waiting=True)["status"] == "ok"
    assert not (daemon.folder / "s").exists()
    assert daemon.pids("lazy") == []
    with connect(daemon, "s"):
        daemon.wait_pids("lazy", 1)


def test_on_demand_brings_what_is_required(circusd: Start) -> None:
    daemon = circusd(
        "[watcher:lazy]\ncmd = sleep 3600\nstdin_socket = s\non_demand = True\nrequires = base\n"
        "[watcher:base]\ncmd = sleep 3600\nautostart = False\n[socket:s]\npath = FOLDER/s\n"
    )
    with connect(daemon, "s"):
        daemon.wait_pids("lazy", 1)
    assert daemon.call("status", name="base")["status"] == "active"


# -- what is told ---------------------------------------------------------------------


def test_connections_that_wait_are_told(circusd: Start) -> None:
    daemon = circusd(
        "[socket:tcp]\nhost = 127.0.0.1\nport = 0\nbacklog = 9\n[socket:unix]\npath = FOLDER/s\n"
        "[socket:mail]\npath = FOLDER/m\ntype = SOCK_DGRAM\n"
    )
    with contextlib.ExitStack() as clients:
        for name in ("tcp", "tcp", "unix"):
            clients.enter_context(connect(daemon, name))
        found = listed(daemon)
        assert (found["tcp"]["queue"], found["tcp"]["backlog"]) == (2, 9)
        assert found["unix"]["queue"] == 1
        assert "queue" not in found["mail"]
        lines = daemon.ctl("listsockets").stdout.splitlines()
        tcp = found["tcp"]
        assert lines == [
            f"{tcp['fd']}:socket 'tcp' at 127.0.0.1:{tcp['port']}, 2 of 9 waiting"
            if name == "tcp"
            else f"{one['fd']}:socket '{name}' at {one['path']}"
            + (", 1 of 2048 waiting" if name == "unix" else "")
            for name, one in sorted(found.items(), key=lambda pair: pair[1]["fd"])
        ]
        assert json.loads(daemon.ctl("--json", "listsockets").stdout)["sockets"]


@pytest.mark.parametrize("replace", ["True", "False"])
def test_t41_a_path_of_a_killed_daemon_is_no_hindrance(circusd: Start, replace: str) -> None:
    first = circusd(
        "[watcher:w]\ncmd = sleep 3600\nnumprocesses = 0\n"
        f"[socket:s]\npath = FOLDER/s\nreplace = {replace}\n[socket:d]\npath = FOLDER/d\n"
        "type = SOCK_DGRAM\n"
    )
    command = [sys.executable, "-m", "circus.circusd", str(first.config)]
    other = {**os.environ, "RUNTIME_DIRECTORY": str(first.folder / "other")}
    (first.folder / "other").mkdir()
    second = subprocess.run(
        command, capture_output=True, text=True, env=other, timeout=60, check=False
    )
    assert second.returncode == 1
    path = first.folder / "d"
    assert second.stderr.splitlines()[-1].endswith(
        f"socket 'd': cannot use {path}: another program listens on it"
    )
    connect(first, "s").close()
    first.process.kill()
    first.process.wait()
    environment = {**os.environ, "RUNTIME_DIRECTORY": str(first.folder)}
    third = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        assert first.call("dstats")["info"]["pid"] == third.pid
        connect(first, "s").close()
    finally:
        third.send_signal(signal.SIGTERM)
        assert third.wait(timeout=30) == 0
    assert not path.exists()
