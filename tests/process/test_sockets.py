"""Managed sockets: what can be bound, and what is never taken from others."""

from __future__ import annotations

import contextlib
import inspect
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from circus.config.model import SocketConfig
from circus.exc import CircusError, ConfigError
from circus.sockets import CircusSocket, CircusSockets
from tests.process.managed import LOCAL, add, bound, config, connect, descriptors, mode
from tests.support import free_port, needs_root

if TYPE_CHECKING:
    pass


# -- the public class -------------------------------------------------------------------


def test_the_defaults_are_those_of_a_file() -> None:
    signature = inspect.signature(CircusSocket.__init__)
    fresh = SocketConfig(name="s")
    for name, one in list(signature.parameters.items())[2:]:
        expected = getattr(fresh, name)
        assert one.default in (expected, getattr(socket, str(expected), None)), name


def test_values_may_be_text_or_numbers() -> None:
    given = {
        "text": CircusSocket("s", "127.0.0.1", "0", "af_inet", "SOCK_DGRAM", "17", "5"),
        "numbers": CircusSocket("s", "127.0.0.1", 0, 2, 2, 17, 5),
        "enums": CircusSocket("s", "127.0.0.1", 0, socket.AF_INET, socket.SOCK_DGRAM, 17, 5),
        "names": CircusSocket("s", "127.0.0.1", 0, "AF_INET", "SOCK_DGRAM", "udp", 5),
        "mapping": CircusSocket.load_from_config(
            {"name": "s", "host": "127.0.0.1", "port": "0", "type": "SOCK_DGRAM", "proto": "udp"}
        ),
    }
    for sock in given.values():
        with contextlib.closing(sock):
            assert (sock.family, sock.type, sock.proto) == (socket.AF_INET, socket.SOCK_DGRAM, 17)
            assert sock.socktype is socket.SOCK_DGRAM
            assert not sock.is_unix
            sock.bind_and_listen()
            assert sock.port > 0
            assert str(sock) == f"socket 's' at 127.0.0.1:{sock.port}"


def test_values_that_cannot_be_are_told() -> None:
    with pytest.raises(ConfigError, match=r"socket 's': port: 'x' is not a whole number"):
        CircusSocket("s", port="x")
    with pytest.raises(ConfigError, match=r"owner: only a path has one"):
        CircusSocket("s", owner="root")
    with pytest.raises(CircusError, match=r"socket 's': there is no user 'nosuchuser'"):
        CircusSocket("s", path="/x", owner="nosuchuser")
    with pytest.raises(CircusError, match=r"socket 's': there is no group 'nosuchgroup'"):
        CircusSocket("s", path="/x", group="nosuchgroup")
    with pytest.raises(CircusError, match=r"cannot make socket 's': protocol not found"):
        CircusSocket("s", proto="nosuchprotocol")
    with pytest.raises(CircusError, match=r"cannot make socket 's': No such device"):
        CircusSocket("s", interface="nosuchdevice")


def test_a_collection_as_the_library_has_it(folder: Path) -> None:
    sockets = CircusSockets(backlog=7)
    try:
        first = sockets.add("First", "127.0.0.1", 0)
        sockets.add("other", path=str(folder / "s"), umask=0)
        with pytest.raises(ValueError, match="'FIRST' already exists"):
            sockets.add("FIRST")
        assert sockets == {"first": first, "other": sockets["other"]}
        assert first.backlog == 7
        sockets.bind_and_listen_all()
        connect(first).close()
        assert mode(folder / "s") == 0o777
    finally:
        sockets.close_all()
    assert sockets == {}
    assert list(folder.iterdir()) == []


def test_it_is_a_socket(folder: Path) -> None:
    with CircusSocket("s", path=str(folder / "s")) as sock:
        sock.bind_and_listen()
        with sock.dup() as other, connect(sock) as client, other.accept()[0] as accepted:
            client.sendall(b"hello")
            assert accepted.recv(9) == b"hello"
        assert sock.getsockname() == sock.location
        assert (folder / "s").is_socket()
    assert not (folder / "s").exists()


# -- every family and type ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "kind"),
    [
        ("AF_INET", "SOCK_STREAM"),
        ("AF_INET", "SOCK_DGRAM"),
        ("AF_INET6", "SOCK_STREAM"),
        ("AF_INET6", "SOCK_DGRAM"),
        ("AF_UNIX", "SOCK_STREAM"),
        ("AF_UNIX", "SOCK_DGRAM"),
        ("AF_UNIX", "SOCK_SEQPACKET"),
    ],
)
def test_every_kind_receives(folder: Path, family: str, kind: str) -> None:
    places = {"AF_INET": {}, "AF_INET6": {"host": "::1"}, "AF_UNIX": {"path": str(folder / "s")}}
    with bound(family=family, type=kind, **places[family]) as sock, connect(sock) as client:
        client.send(b"hello")
        if sock.type == socket.SOCK_DGRAM:
            assert sock.recv(9) == b"hello"
        else:
            with sock.accept()[0] as accepted:
                assert accepted.recv(9) == b"hello"


@needs_root
def test_a_raw_socket_has_a_protocol() -> None:
    with bound(type="SOCK_RAW", proto="icmp", port=0) as sock:
        assert (sock.type, sock.proto) == (socket.SOCK_RAW, socket.IPPROTO_ICMP)


@needs_root
def test_t40_an_interface_is_bound_by_name() -> None:
    with bound(interface="lo") as sock:
        option = sock.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
        assert option.rstrip(b"\0") == b"lo"
        connect(sock).close()


def test_blocking_or_not() -> None:
    with bound() as one, bound(blocking="no") as other:
        assert one.getblocking()
        assert not other.getblocking()


def test_a_port_that_is_taken_is_told() -> None:
    for kind in ("SOCK_STREAM", "SOCK_DGRAM"):
        with bound(type=kind) as first:
            second = CircusSocket.from_config(config("other", type=kind, port=first.port))
            said = f"cannot bind socket 'other' to 127.0.0.1:{first.port}: Address already in use"
            with pytest.raises(CircusError, match=said):
                second.bind_and_listen()
            assert second.fd == -1


# -- paths -------------------------------------------------------------------------------


@needs_root
def test_owner_group_and_mode_of_a_path(folder: Path) -> None:
    path = folder / "s"
    with bound(path=str(path), owner="nobody", group="daemon", mode="640"):
        found = path.lstat()
        assert (found.st_uid, found.st_gid) == (65534, 1)
        assert mode(path) == 0o640
    assert not path.exists()


@pytest.mark.parametrize(
    ("options", "expected"),
    [({"umask": "000"}, 0o777), ({"umask": "077"}, 0o700), ({"mode": "660"}, 0o660), ({}, 0o755)],
)
def test_t39_the_umask_of_the_process_stays(
    folder: Path, options: dict[str, Any], expected: int
) -> None:
    path = folder / "s"
    before = os.umask(0o022)
    try:
        with bound(path=str(path), **options):
            assert mode(path) == expected
        with pytest.raises(CircusError, match="No such file or directory"):
            CircusSocket("s", path=str(folder / "no" / "s"), **options).bind_and_listen()
        (folder / "next").touch()
        assert mode(folder / "next") == 0o644
    finally:
        os.umask(before)


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM", "SOCK_SEQPACKET"])
def test_t41_a_dead_socket_is_replaced_a_live_one_never(
    folder: Path,
    kind: str,
    replace: bool,  # noqa: FBT001
) -> None:
    path = str(folder / "s")
    for mine in ("SOCK_STREAM", "SOCK_DGRAM"):
        with socket.socket(socket.AF_UNIX, socket.SocketKind[kind]) as other:
            other.bind(path)  # somebody who does not even listen yet
            with pytest.raises(CircusError, match=f"{path}: another program listens on it"):
                CircusSocket("s", path=path, type=mine, replace=replace).bind_and_listen()
            assert Path(path).is_socket()
        with bound(path=path, type=mine, replace=replace) as sock:
            connect(sock).close()
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize("replace", [False, True])
def test_t41_what_is_no_socket_is_never_removed(
    folder: Path,
    replace: bool,  # noqa: FBT001
) -> None:
    (folder / "file").write_text("precious")
    (folder / "link").symlink_to("file")
    (folder / "folder").mkdir()
    before = descriptors()
    for name in ("file", "link", "folder"):
        with pytest.raises(CircusError, match="there is something that is not a socket"):
            CircusSocket("s", path=str(folder / name), replace=replace).bind_and_listen()
    assert (folder / "link").read_text() == "precious"
    assert descriptors() == before


def test_a_path_that_others_made_anew_is_theirs(folder: Path) -> None:
    path = folder / "s"
    with bound(path=str(path)):
        path.unlink()
        path.write_text("theirs")
    assert path.read_text() == "theirs"


# -- how many wait -------------------------------------------------------------------------


def test_connections_that_wait_are_counted(folder: Path) -> None:
    places: list[dict[str, Any]] = [
        LOCAL,
        {"host": "::1", "port": 0, "family": "AF_INET6"},
        {"path": str(folder / "stream")},
        {"path": str(folder / "packets"), "type": "SOCK_SEQPACKET"},
    ]
    for place in places:
        with bound(**place) as sock, contextlib.ExitStack() as clients:
            assert sock.queue() == 0
            for _ in range(3):
                clients.enter_context(connect(sock))
            assert sock.queue() == 3
            sock.accept()[0].close()
            assert sock.queue() == 2
    with bound(type="SOCK_DGRAM") as sock:
        assert sock.queue() is None


ELSEWHERE = """
import socket, sys
from circus.gauges.queue import waiting
print(waiting(socket.socket(fileno=int(sys.argv[1]))))
"""


@needs_root
def test_of_a_path_in_another_network_namespace_the_kernel_tells_nothing(folder: Path) -> None:
    with bound(path=str(folder / "stream")) as sock, connect(sock):
        told = subprocess.run(
            ["unshare", "--net", sys.executable, "-c", ELSEWHERE, str(sock.fileno())],
            pass_fds=[sock.fileno()],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (told.stdout, told.stderr) == ("None\n", "")


# -- one socket for each worker --------------------------------------------------------------


def test_each_worker_gets_a_socket_of_its_own(sockets: CircusSockets) -> None:
    sock = add(sockets, so_reuseport=True)
    assert sock.port > 0
    with pytest.raises(ConnectionRefusedError):
        connect(sock)  # it is kept, but nobody listens
    with sock.another() as one, sock.another() as two:
        assert one.getsockname() == two.getsockname() == sock.getsockname()
        connect(sock).close()
    assert sock.queue() is None
    # somebody else cannot have it
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(sock.getsockname())


def test_datagrams_go_to_workers_only(sockets: CircusSockets) -> None:
    port = free_port(socket.SOCK_DGRAM)
    sock = add(sockets, so_reuseport=True, type="SOCK_DGRAM", port=port)
    with sock.another() as one, connect(sock) as client:
        one.settimeout(20)
        for number in range(20):
            client.send(b"%d" % number)
            assert one.recv(9) == b"%d" % number
