"""What circushttpd answers at, how it is told to, and how it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support import Daemon, free_port, wait_until
from tests.web.conftest import WATCHERS
from tests.web.console import Browser
from tests.web.follow import follow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.web.console import Console

PROGRAM = (sys.executable, "-m", "circus.web.circushttpd")
BY_SYSTEMD = (
    "import fcntl, os, sys; fds = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in {}]; "
    "[os.dup2(fd, 3 + at) for at, fd in enumerate(fds)]; "
    "os.environ['LISTEN_PID'] = str(os.getpid()); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)
"""A program that has some descriptors as its sockets, and becomes another."""


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    """One for all: nothing here changes it."""
    found = Daemon(WATCHERS)
    yield found.wait()
    found.stop()


@contextlib.contextmanager
def running(
    *command: str, env: Mapping[str, str] | None = None, fds: tuple[int, ...] = ()
) -> Iterator[subprocess.Popen[str]]:
    """A program that says what it does."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command,
        stdout=pipe,
        stderr=pipe,
        text=True,
        pass_fds=fds,
        env={**os.environ, **(env or {})},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def refused(*arguments: str, env: Mapping[str, str] | None = None, status: int = 1) -> str:
    """Its only line, with which it fails."""
    with running(*PROGRAM, *arguments, env=env) as process:
        said, complained = process.communicate(timeout=60)
    assert (process.returncode, said) == (status, ""), complained
    (line,) = complained.splitlines()
    return line.removeprefix("circushttpd: ")


def used(browser: Browser, daemon: Daemon) -> None:
    """Somebody logs in there, and stops a watcher that is stopped."""
    browser.enter(str(daemon.call("console-login")["ticket"]))
    assert ">web<" in browser.get("/").text
    assert browser.get("/api/v1/state").status == 200
    assert browser.post("/watchers/off/stop").status == 303


# -- where ------------------------------------------------


def test_a_listening_socket_that_was_inherited(daemon: Daemon) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        words = ("--endpoint", daemon.endpoint, "--fd", str(sock.fileno()))
        with running(*PROGRAM, *words, fds=(sock.fileno(),)) as process:
            used(Browser(port), daemon)
            assert process.stdout is not None
            assert process.stdout.readline() == f"Listening on http://localhost:{port}/\n"
            process.terminate()
            assert process.wait(timeout=60) == 0
        with socket.create_connection(("127.0.0.1", port)):  # it listens still, for whoever has it
            sock.settimeout(30)
            sock.accept()[0].close()


def test_a_unix_socket_that_was_inherited(daemon: Daemon, tmp_path: Path) -> None:
    path = f"{tmp_path}/u"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen()
        words = ("--endpoint", daemon.endpoint, "--fd", str(sock.fileno()))
        with running(*PROGRAM, *words, fds=(sock.fileno(),)) as process:
            used(Browser(8080, path), daemon)
            assert process.stdout is not None
            assert process.stdout.readline() == f"Listening on unix:{path}\n"


def test_descriptors_that_are_no_listening_sockets(tmp_path: Path) -> None:
    assert refused("--fd", "77") == "descriptor 77 is no socket: Bad file descriptor"
    with (tmp_path / "file").open("w") as file, socket.socket() as sock:
        os.set_inheritable(file.fileno(), True)  # noqa: FBT003 it has no keyword
        number = str(sock.fileno())
        with running(*PROGRAM, "--fd", number, fds=(sock.fileno(),)) as process:
            complaint = f"circushttpd: descriptor {number} is a socket that does not listen\n"
            assert process.communicate(timeout=60) == ("", complaint)


def test_a_socket_of_systemd(daemon: Daemon) -> None:
    """Handed over as sd_listen_fds(3) says."""
    with socket.create_server(("127.0.0.1", 0)) as sock, contextlib.ExitStack() as stack:
        port = sock.getsockname()[1]
        told = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        told.bind("")  # the kernel finds a name
        told.settimeout(60)
        env = {
            "LISTEN_FDS": "1",
            "NOTIFY_SOCKET": "@" + told.getsockname()[1:].decode(),
            "CIRCUSCTL_ENDPOINT": daemon.endpoint,
        }
        stand_in = (sys.executable, "-c", BY_SYSTEMD.format([sock.fileno()]))
        process = stack.enter_context(running(*stand_in, *PROGRAM, env=env, fds=(sock.fileno(),)))
        assert told.recv(100) == b"READY=1"
        used(Browser(port), daemon)
        process.terminate()
        assert told.recv(100) == b"STOPPING=1"
        assert process.wait(timeout=60) == 0


def test_sockets_of_the_network_and_others_are_not_mixed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as inet, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(f"{tmp_path}/u")
        unix.listen()
        fds = (inet.fileno(), unix.fileno())
        stand_in = (sys.executable, "-c", BY_SYSTEMD.format(list(fds)))
        with running(*stand_in, *PROGRAM, env={"LISTEN_FDS": "2"}, fds=fds) as process:
            said = process.communicate(timeout=60)[1]
    assert said == (
        "circushttpd: sockets of the network and Unix sockets cannot be served together\n"
    )


def test_a_unix_socket_of_its_own(daemon: Daemon, tmp_path: Path) -> None:
    path = tmp_path / "u"
    config = tmp_path / "console.ini"
    config.write_text(f"[console]\npath = {path}\nendpoint = {daemon.endpoint}\n")
    for _ in range(2):  # the second finds what the first has left
        with running(*PROGRAM, "--config", str(config)) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == f"Listening on unix:{path}\n"
            assert path.stat().st_mode & 0o777 == 0o660
            used(Browser(8080, str(path)), daemon)
            said = refused(env={"CIRCUS_CONSOLE": str(config)})
            assert said == f"cannot listen at {path}: somebody else does"
            process.terminate()
            assert process.wait(timeout=60) == 0
    path.unlink()
    config.write_text(f"[console]\npath = {path}/u\n")
    said = refused("--config", str(config))
    assert said == f"cannot listen at {path}/u: No such file or directory"
    config.write_text(f"[console]\npath = {path}\n")
    path.write_text("mine")
    said = refused("--config", str(config))
    assert said == f"cannot listen at {path}: there is something that is no socket"
    assert path.read_text() == "mine"


def test_a_port_that_is_taken(daemon: Daemon) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = str(sock.getsockname()[1])
        said = refused("--endpoint", daemon.endpoint, "--port", port)
        assert said == f"cannot listen at localhost:{port}: Address already in use"


def test_a_host_that_is_not_ours() -> None:
    assert refused("--host", "no.such.invalid").startswith("cannot listen at no.such.invalid: ")
    said = refused("--host", "192.0.2.1", "--port", "8080")
    assert said == "cannot listen at 192.0.2.1:8080: Cannot assign requested address"


def test_t53_it_listens_where_others_can_connect_only_if_it_is_told_how(
    daemon: Daemon, tmp_path: Path
) -> None:
    port = str(free_port())
    words = ("--endpoint", daemon.endpoint, "--host", "0.0.0.0", "--port", port)
    assert refused(*words).startswith(f"other machines can connect to 0.0.0.0:{port}; say who may")
    config = tmp_path / "console.ini"
    for options in (
        f"password_file = {tmp_path}/users\nallowed_hosts = box.example",
        "proxy_user_header = X-User\ntrusted_proxies = 192.0.2.1",
        "exposed = True",
    ):
        config.write_text(f"[console]\n{options}\n")
        with running(*PROGRAM, *words, "--config", str(config)) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == f"Listening on http://localhost:{port}/\n"
            process.terminate()
            warned = f"What goes to and from 0.0.0.0:{port} is not encrypted: a proxy can do that"
            assert (warned in process.communicate(timeout=60)[1]) == ("trusted" not in options)
    for options in (f"password_file = {tmp_path}/users", "url = https://box.example"):
        config.write_text(f"[console]\n{options}\n")
        assert refused(*words, "--config", str(config)).startswith("other machines can connect")


# -- what else it is told ------------------------------------------------


def test_t54_a_file_that_cannot_be_used_has_a_status_of_its_own(tmp_path: Path) -> None:
    config = tmp_path / "console.ini"
    said = refused("--config", str(config), status=os.EX_CONFIG)
    assert said == f"{config}: cannot read it: No such file or directory"
    config.write_text("[console]\nport = many\n")
    said = refused("--config", str(config), status=os.EX_CONFIG)
    assert said.startswith(f"{config}:2: port: ")


def test_options_of_older_consoles_are_understood(daemon: Daemon) -> None:
    port = str(free_port())
    words = ("--endpoint", daemon.endpoint, "--port", port, "--server", "wsgiref")
    with running(*PROGRAM, *words, "--multicast", "udp://237.219.251.97:12027") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Listening on http://localhost:{port}/\n"
        process.terminate()
        assert process.stderr is not None
        said = process.stderr.read()
    assert "circushttpd: --server is of older consoles, and does nothing\n" in said
    assert "circushttpd: --multicast is of older consoles, and does nothing\n" in said


def test_a_port_that_is_none() -> None:
    found = subprocess.run(
        [*PROGRAM, "--port", "99999"], capture_output=True, text=True, check=False, timeout=60
    )
    assert found.returncode == 2
    assert found.stderr.endswith("error: argument --port: invalid port value: '99999'\n")


@pytest.mark.parametrize(
    ("needed", "name"),
    [
        ("falcon", "falcon"),
        ("jinja2", "jinja2"),
        ("waitress", "waitress"),
        ("jinja2", "markupsafe"),
    ],
)
def test_a_module_that_is_not_there(needed: str, name: str, tmp_path: Path) -> None:
    """Also one that only the modules of others need."""
    (tmp_path / f"{needed}.py").write_text(f"raise ModuleNotFoundError('gone', name={name!r})")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    said = refused(env={"PYTHONPATH": path})
    assert said == (
        f"there is no Python module {name}; install the Debian package circus-console, or "
        "pip install 'circus[web]'"
    )


# -- how it ends ------------------------------------------------


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_also_with_streams_and_with_a_circusd_that_hangs(
    console: Console, signum: signal.Signals
) -> None:
    """What a stop of its unit, or Ctrl-C, does, also when a request waits for that circusd."""
    console.login()
    with follow(console) as one, follow(console) as other:
        one.until(lambda: one.watcher("web"))
        other.until(lambda: other.watcher("web"))
        os.kill(console.daemon.process.pid, signal.SIGSTOP)
        waits = console.send("GET", "/api/v1/watchers/web/why")
        try:
            assert console.get("/healthz").status == 200  # which came after it
            console.process.send_signal(signum)
            one.to_the_end()
            other.to_the_end()
            assert console.process.wait(timeout=10) == 0
        finally:
            os.kill(console.daemon.process.pid, signal.SIGCONT)
            waits.close()
    assert "Traceback" not in console.text()


def test_a_session_outlives_a_restart(console: Console) -> None:
    console.login("operate")
    console.stop()
    console.begin()
    answer = console.get("/")
    assert answer.status == 200
    wait_until(lambda: ">web<" in console.get("/").text)
