"""How managed sockets change: all of them or none, and back again."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from circus.config.model import SocketConfig
from circus.exc import CircusError
from circus.sockets import CircusSockets
from tests.process.managed import add, config, connect, descriptors, mode
from tests.support import free_port, needs_root

if TYPE_CHECKING:
    pass


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


def test_a_socket_of_datagrams_is_changed_on_the_open_one(sockets: CircusSockets) -> None:
    sock = add(sockets, type="SOCK_DGRAM")
    swap = sockets.prepare({"s": config(type="SOCK_DGRAM", blocking=False)})
    swap.commit()
    swap.finish()
    assert (sockets["s"], sock.getblocking(), bool(swap.replaced)) == (sock, False, False)


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
