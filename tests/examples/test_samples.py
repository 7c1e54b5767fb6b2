"""Samples of the old documentation as they stand there, ports and all, with the real programs.

tests/daemon/test_seed.py has all of them, with stand-ins for the programs. Here chaussette is in
/usr/bin, in a room of the test's own: a worker without `copy_env` looks there.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.examples.conftest import EXAMPLES
from tests.pages.shell import room
from tests.support import needs_root, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pages.shell import Shell

pytestmark = needs_root

SAMPLES = EXAMPLES.parent / "tests" / "compat" / "ini"
TCP = "--endpoint tcp://127.0.0.1:5555"
PYRAMID = """
from pyramid.config import Configurator
from pyramid.response import Response

def hello_world(request):
    return Response('Hello %(name)s!' % request.matchdict)

config = Configurator()
config.add_route('hello', '/hello/{name}')
config.add_view(hello_world, route_name='hello')
application = config.make_wsgi_app()
"""
MYCOOLSCRIPT = (
    f"#!{sys.executable}\n"
    + """
import socket
import sys

fd = int(sys.argv[1])   # getting the FD from circus
sock = socket.fromfd(fd, socket.AF_INET, socket.SOCK_STREAM)

# dealing with one request at a time
while True:
    conn, addr = sock.accept()
    request = conn.recv(1024)
    conn.sendall(b'I have ' + request)
    conn.close()
"""
)


@pytest.fixture
def shell() -> Iterator[Shell]:
    """In an empty folder of a room with chaussette."""
    with room() as found:
        found.run(f"cp {sys.prefix}/bin/chaussette /usr/bin/")
        yield found


def started(shell: Shell, name: str) -> None:
    """circusd runs a sample; it takes commands when this returns."""
    number = shell.start(f"circusd {SAMPLES}/seed-{name}.ini")
    wait_until(lambda: "waiting for commands" in shell.output(number))


def says(shell: Shell, command: str) -> str:
    """What a command prints; it has to succeed."""
    status, said = shell.run(command)
    assert status == 0, said
    return said


def test_pyramid_in_three_chaussettes(shell: Shell) -> None:
    shell.write("app.py", PYRAMID)
    started(shell, "pyramid")
    assert says(shell, "curl -s http://localhost:8080/hello/tarek") == "Hello tarek!"
    assert says(shell, f"circusctl {TCP} numprocesses webworker") == "3\n"


def test_django_in_two_chaussettes(shell: Shell) -> None:
    """But for the dash, which the book has made one of two."""
    says(shell, "mkdir -p /path/to")
    says(shell, f"cp -r {EXAMPLES}/django/project /path/to/parent-of-dproject")
    says(shell, "python3 /path/to/parent-of-dproject/manage.py migrate -v 0")
    text = (SAMPLES / "seed-django.ini").read_text(encoding="utf-8").replace("\u2013fd", "--fd")
    shell.write("django.ini", text)
    number = shell.start("circusd django.ini")
    wait_until(lambda: "waiting for commands" in shell.output(number))
    assert says(shell, "curl -s http://127.0.0.1:8080/orders") == "0 ordered, 0 done\n"


def test_the_script_on_the_socket_foo(shell: Shell) -> None:
    shell.write("/usr/bin/mycoolscript", MYCOOLSCRIPT)
    says(shell, "chmod +x /usr/bin/mycoolscript")
    started(shell, "dummy")
    talk = "exec 9<>/dev/tcp/127.0.0.1/8888; printf it >&9; cat <&9"
    assert says(shell, f"bash -c '{talk}'") == "I have it"


def test_the_console_in_chaussette(shell: Shell) -> None:
    started(shell, "webconsole")
    assert "Circus" in says(shell, "curl -s -H 'Host: localhost:8080' http://127.0.0.0:8080/login")


def test_only_files_and_no_port(shell: Shell) -> None:
    says(shell, "mkdir -p /var/circus")
    started(shell, "ipc")
    assert says(shell, "ss -Hltn") == ""
    assert says(shell, "circusctl --endpoint ipc:///var/circus/endpoint numwatchers") == "1\n"
