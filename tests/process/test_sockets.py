"""Managed sockets: what can be bound, what is never taken from others, and how they change."""

from __future__ import annotations

import contextlib
import inspect
import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from circus.config.mapping import socket_from_mapping
from circus.config.model import SocketConfig
from circus.exc import CircusError, ConfigError
from circus.sockets import CircusSocket, CircusSockets
from tests.support import free_port, needs_root

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCAL = {"host": "127.0.0.1", "port": 0}


def config(name: str = "s", **options: Any) -> SocketConfig:
    return socket_from_mapping(name, options if "path" in options else {**LOCAL, **options})


@contextlib.contextmanager
def bound(**options: Any) -> Iterator[CircusSocket]:
    with contextlib.closing(CircusSocket.from_config(config(**options))) as sock:
        sock.bind_and_listen()
        yield sock


@pytest.fixture
def sockets() -> Iterator[CircusSockets]:
    found = CircusSockets()
    yield found
    found.close_all()


def add(sockets: CircusSockets, **options: Any) -> CircusSocket:
    """Bind one and put it in its place."""
    one = config(**options)
    sockets.prepare({one.name: one}).commit()
    return sockets[one.name]


def connect(sock: CircusSocket) -> socket.socket:
    client = socket.socket(sock.family, sock.type)
    client.settimeout(20)
    try:
        client.connect(sock.path or (sock.host, sock.port))
    except OSError:
        client.close()
        raise
    return client


def descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


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


# -- changes ---------------------------------------------------------------------------------


def test_t9_a_change_that_cannot_be_leaves_everything(sockets: CircusSockets, folder: Path) -> None:
    first = add(sockets, name="first")
    path = add(sockets, name="path", path=str(folder / "s"))
    with socket.create_server(("127.0.0.1", 0)) as other:
        before = descriptors()
        taken = config("first", port=other.getsockname()[1])
        moved = config("path", path=str(folder / "t"))
        wrong: dict[str, tuple[SocketConfig, str]] = {
            "port": (taken, "cannot bind socket 'first' to 127.0.0.1:.*in use"),
            "owner": (config("path", path=str(folder / "s"), owner="nosuchuser"), "nosuchuser"),
            "interface": (config("first", interface="nosuchdevice"), "'first': No such device"),
            "folder": (config("path", path=str(folder / "no" / "s")), "No such file"),
        }
        for one, say in wrong.values():
            for order in ([moved, one], [one, moved]):
                wanted = {each.name: each for each in order} | {one.name: one}
                with pytest.raises(CircusError, match=say):
                    sockets.prepare({**wanted, "new": config("new"), "gone": None})
                assert sockets == {"first": first, "path": path}
                assert [file.name for file in folder.iterdir()] == ["s"]
                assert descriptors() == before
    connect(first).close()
    connect(path).close()


def test_t9_another_port_is_open_before_the_old_one_is_closed(sockets: CircusSockets) -> None:
    old = add(sockets)
    port = free_port()
    swap = sockets.prepare(
        {"S": config("S", port=port), "more": config("more", host="::1", family="AF_INET6")}
    )
    assert sockets == {"s": old}
    swap.commit()
    assert swap.replaced == {"s", "more"}
    new = sockets["s"]
    assert (new.port, sockets["more"].name) == (port, "more")
    of_worker = socket.socket(fileno=os.dup(old.fd))  # one of before still has it
    with connect(new), connect(old) as waiting, of_worker:
        swap.finish()
        assert old.fd == -1
        with of_worker.accept()[0] as accepted:
            accepted.send(b"served")
        assert waiting.recv(9) == b"served"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((old.host, old.port))


def test_a_socket_is_removed_when_the_workers_have_moved(
    sockets: CircusSockets, folder: Path
) -> None:
    old = add(sockets, path=str(folder / "s"))
    swap = sockets.prepare({"s": None, "nobody": None})
    assert sockets == {"s": old}
    swap.commit()
    assert sockets == {}
    connect(old).close()
    swap.finish()
    assert list(folder.iterdir()) == []


def test_a_change_goes_back(sockets: CircusSockets, folder: Path) -> None:
    path = str(folder / "s")
    first = add(sockets, name="first", path=path, mode="600")
    second = add(sockets, name="second")
    before = descriptors()
    wanted = {
        "first": config("first", path=path, type="SOCK_DGRAM"),
        "second": None,
        "third": config("third"),
    }
    swap = sockets.prepare(wanted)
    swap.commit()
    assert sockets["first"].type == socket.SOCK_DGRAM
    swap.undo()
    assert sockets == {"first": first, "second": second}
    swap.finish()
    assert descriptors() == before
    assert [file.name for file in folder.iterdir()] == ["s"]
    connect(first).close()
    connect(second).close()


def test_another_type_at_the_same_path_takes_over_at_once(
    sockets: CircusSockets, folder: Path
) -> None:
    path = folder / "s"
    old = add(sockets, path=str(path))
    with connect(old) as waiting:
        swap = sockets.prepare({"s": config(path=str(path), type="SOCK_SEQPACKET", mode="666")})
        connect(old).close()
        swap.commit()
        assert mode(path) == 0o666
        connect(sockets["s"]).close()
        with old.accept()[0] as accepted:  # it was waiting
            accepted.send(b"served")
        assert waiting.recv(9) == b"served"
        swap.finish()
    connect(sockets["s"]).close()
    assert [file.name for file in folder.iterdir()] == ["s"]
    sockets.close_all()
    assert list(folder.iterdir()) == []


@needs_root
def test_what_needs_no_other_socket_is_changed_on_the_open_one(
    sockets: CircusSockets, folder: Path
) -> None:
    path, port = folder / "s", add(sockets, name="tcp").port
    one, two = add(sockets, name="path", path=str(path)), sockets["tcp"]
    with connect(one), connect(two):
        more = {"backlog": 3, "blocking": False}
        swap = sockets.prepare(
            {
                "path": config("path", path=str(path), owner="nobody", mode="640", **more),
                "tcp": config("tcp", interface="lo", **more),
            }
        )
        assert (path.lstat().st_uid, two.getblocking()) == (0, True)
        swap.commit()
        assert not swap.replaced
        swap.finish()
        assert sockets == {"path": one, "tcp": two}
        assert (path.lstat().st_uid, mode(path)) == (65534, 0o640)
        assert (two.port, two.backlog, two.getblocking()) == (port, 3, False)
        assert two.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).startswith(b"lo\0")
        assert (one.queue(), two.queue()) == (1, 1)
        swap.undo()
        assert path.lstat().st_uid == 0
        assert (two.backlog, two.getblocking()) == (2048, True)
        assert not two.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).strip(b"\0")
    assert [file.name for file in folder.iterdir()] == ["s"]


def test_two_sockets_change_their_names(sockets: CircusSockets, folder: Path) -> None:
    one = add(sockets, name="one", path=str(folder / "1"))
    two = add(sockets, name="two", path=str(folder / "2"))
    wanted = {
        "one": config("one", path=str(folder / "2")),
        "two": config("two", path=str(folder / "1")),
    }
    swap = sockets.prepare(wanted)
    swap.commit()
    swap.finish()
    assert sockets == {"one": two, "two": one}
    assert (one.name, two.name) == ("two", "one")
    connect(one).close()
    connect(two).close()


def test_another_name_is_no_other_socket(sockets: CircusSockets, folder: Path) -> None:
    with connect(add(sockets, name="old", path=str(folder / "s"))):
        sock = sockets["old"]
        wanted = {"old": None, "new": config("new", path=str(folder / "s"), backlog=5)}
        swap = sockets.prepare(wanted)
        swap.commit()
        assert sockets == {"new": sock}
        assert (sock.name, sock.backlog, sock.queue()) == ("new", 5, 1)
        swap.undo()
        assert (sockets, sock.name) == ({"old": sock}, "old")
        swap.commit()
        swap.finish()
        assert (sockets, sock.queue()) == ({"new": sock}, 1)


def test_an_address_that_we_have_ourselves_is_told(sockets: CircusSockets) -> None:
    sock = add(sockets)
    with pytest.raises(CircusError, match=f"socket 's' at 127.0.0.1:{sock.port} is open until"):
        sockets.prepare({"s": config(port=sock.port, so_reuseport=True)})
