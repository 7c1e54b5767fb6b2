"""Sockets that systemd opens: for commands, and for workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deb import roots
from tests.support import wait_until
from tests.systemd.machine import ON_A_MACHINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.systemd.conftest import Unit

pytestmark = ON_A_MACHINE

QUIET = "[watcher:quiet]\ncmd = sleep 1000\n"
EXAMPLE = roots.TREE / "packaging/systemd/examples/web.socket"
SERVER = """
import contextlib, os, select, signal, socket
told, tell = os.pipe()
os.set_blocking(tell, False)
signal.set_wakeup_fd(tell)
signal.signal(signal.SIGTERM, lambda *_: None)
answer = f"HTTP/1.0 200 OK\\r\\n\\r\\n{os.environ['LISTEN_FDNAMES']} {os.getpid()}".encode()
with socket.socket(fileno=3) as sock:
    sock.setblocking(False)
    while told not in select.select([sock, told], [], [])[0]:
        # another worker may have been faster
        with contextlib.suppress(BlockingIOError), sock.accept()[0] as connection:
            connection.settimeout(30)
            connection.recv(1000)
            connection.sendall(answer)
"""
"""Answers with its pid; asked to end, it still answers whom it has accepted, as web servers do."""
CLIENT = """
import collections, http.client
def ask():
    connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=30)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException) as error:
        return f"failed: {error!r}"
    finally:
        connection.close()
answers = collections.Counter(ask() for _ in range(100))
with open("/run/asking", "w"):
    pass
while open("/run/asking").read() != "enough":
    answers[ask()] += 1
answers.update(ask() for _ in range(100))
print(*answers, sep="\\n")
"""
"""Asks without a pause, and at the end says which answers it got."""
WEB = """
[watcher:web]
cmd = python3 /etc/circus/server.py
numprocesses = 4
sockets = web

[socket:web]
activated = True
"""


@pytest.fixture
def control(unit: Unit) -> Iterator[Unit]:
    """The service with circus.socket beside it."""
    unit.write(QUIET)
    unit.run("systemctl start circus.socket")
    yield unit
    unit.run("systemctl stop circus.socket circus")


@pytest.fixture
def opened(unit: Unit) -> Iterator[Callable[[str], None]]:
    """Opens port 8000 for circus.service, under a name."""

    def opened(name: str) -> None:
        text = EXAMPLE.read_text().replace("FileDescriptorName=web", f"FileDescriptorName={name}")
        unit.machine.write("/run/systemd/system/web.socket", text)
        unit.machine.write("/etc/circus/server.py", SERVER)
        unit.run("systemctl daemon-reload && systemctl start web.socket")

    yield opened
    unit.run("systemctl stop web.socket circus; rm /run/systemd/system/web.socket")


def test_the_first_command_starts_the_daemon(control: Unit) -> None:
    assert control.show("ActiveState") == "inactive"
    assert control.says("circusctl numwatchers") == "1"
    wait_until(lambda: control.show("ActiveState") == "active")


def test_the_control_socket_is_systemds_through_all_restarts(control: Unit) -> None:
    place = "stat -c '%a %U %G %i' /run/circus/control"
    before = control.says(place)
    assert before.startswith("660 root circus ")
    control.run("systemctl restart circus")
    control.run("circusctl restart --waiting")
    assert control.says("circusctl numwatchers") == "1"
    control.run("systemctl stop circus")
    assert control.says(place) == before


def test_a_command_in_between_is_answered(control: Unit) -> None:
    control.run("systemctl start circus")
    control.run("systemctl restart --no-block circus")
    assert control.says("circusctl --timeout 30 numwatchers") == "1"


def test_another_endpoint_than_the_sockets_is_refused_with_advice(control: Unit) -> None:
    control.adjust("[Service]\nRestart=no\n")
    control.write(f"[circus]\nendpoint = ipc:///run/circus/other\n{QUIET}")
    assert control.run("systemctl start circus", check=False).returncode == 1
    said = control.journal()
    assert "is at /run/circus/control, and the endpoint is ipc:///run/circus/other" in said


def test_every_request_is_answered_while_the_service_restarts(
    unit: Unit, opened: Callable[[str], None]
) -> None:
    opened("web")
    unit.start(WEB)
    assert "8000" in unit.says("circusctl listsockets")
    unit.machine.write("/run/client.py", CLIENT)
    unit.run(
        "systemd-run --unit=client --collect -p StandardOutput=file:/run/answers "
        "python3 /run/client.py"
    )
    wait_until(lambda: unit.run("test -e /run/asking", check=False).returncode == 0)
    before = unit.says("circusctl list web").split(",")
    unit.run("systemctl restart circus")
    after = unit.says("circusctl list web").split(",")
    unit.run("printf enough >/run/asking")
    wait_until(lambda: unit.run("systemctl is-active client", check=False).returncode != 0)
    answers = set(unit.says("cat /run/answers").splitlines())
    unit.run("rm /run/asking /run/answers")
    assert len({*before, *after}) == 8
    assert answers <= {f"web {pid}" for pid in (*before, *after)}
    assert answers & {f"web {pid}" for pid in before}
    assert answers & {f"web {pid}" for pid in after}


def test_a_socket_that_is_missing_is_told_with_advice(unit: Unit) -> None:
    unit.adjust("[Service]\nRestart=no\n")
    unit.write(WEB)
    assert unit.run("systemctl start circus", check=False).returncode == 1
    said = unit.journal()
    assert "socket 'web' has activated = True, but systemd did not hand it over" in said
    assert "FileDescriptorName=web" in said


def test_a_socket_too_many_is_told_with_advice(unit: Unit, opened: Callable[[str], None]) -> None:
    unit.adjust("[Service]\nRestart=no\n")
    opened("strange")
    unit.write(QUIET)
    assert unit.run("systemctl start circus", check=False).returncode == 1
    assert "no [socket:strange] has activated = True: write one" in unit.journal()
