"""Managed sockets that somebody else opened, and hands over by name."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from circus.config.mapping import socket_from_mapping
from circus.exc import CircusError, ConfigError
from circus.sockets import CircusSocket, CircusSockets
from circus.systemd import Handed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from circus.config.model import SocketConfig


@pytest.fixture
def opened() -> Iterator[socket.socket]:
    """A socket that listens already."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


@pytest.fixture
def sockets(opened: socket.socket) -> Iterator[CircusSockets]:
    """Sockets for which it was handed over as "web"."""
    made = CircusSockets()
    made.handed = {"web": opened.fileno()}
    yield made
    made.close_all()


def activated(name: str, **options: object) -> SocketConfig:
    return socket_from_mapping(name, {"activated": True, **options})


def test_it_is_the_same_socket(sockets: CircusSockets, opened: socket.socket) -> None:
    sockets.prepare({"Web": activated("Web")}).commit()
    ours = sockets["web"]
    assert (ours.host, ours.port) == opened.getsockname()
    assert ours.fileno() != opened.fileno()
    with socket.create_connection(opened.getsockname()):
        ours.accept()[0].close()
    assert ours.queue() == 0


def test_a_unix_socket_keeps_its_file(tmp_path: Path) -> None:
    path = str(tmp_path / "web")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(path)
        unix.listen()
        made = CircusSockets()
        made.handed = {"web": unix.fileno()}
        made.prepare({"web": activated("web")}).commit()
        assert made["web"].path == path
        made.close_all()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)


def test_another_start_takes_it_again(sockets: CircusSockets) -> None:
    sockets.prepare({"web": activated("web")}).commit()
    sockets.close_all()
    sockets.prepare({"web": activated("web")}).commit()
    assert sockets["web"].fileno() >= 0


def test_one_that_was_not_handed_over_is_refused_with_advice(sockets: CircusSockets) -> None:
    with pytest.raises(CircusError, match="needs FileDescriptorName=api and Service="):
        sockets.prepare({"api": activated("api")})


def test_another_name_is_another_socket(sockets: CircusSockets) -> None:
    sockets.prepare({"web": activated("web")}).commit()
    with pytest.raises(CircusError, match="'api' has activated"):
        sockets.prepare({"web": None, "api": activated("api")})
    assert "web" in sockets


def test_blocking_changes_on_the_open_socket(sockets: CircusSockets) -> None:
    sockets.prepare({"web": activated("web")}).commit()
    before = sockets["web"]
    place = before.location
    sockets.prepare({"web": activated("web", blocking=False)}).commit()
    assert sockets["web"] is before
    assert (before.getblocking(), before.location) == (False, place)


def test_its_unit_says_where_and_how(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="port: the socket unit of systemd says this"):
        activated("web", port=8000)
    with pytest.raises(ConfigError, match="path: the socket unit of systemd says this"):
        activated("web", path=str(tmp_path / "web"))


def test_a_program_has_sockets_of_its_own() -> None:
    with pytest.raises(CircusError, match="'web': activated = True is for circusd alone"):
        CircusSocket.load_from_config({"name": "web", "activated": True})


def test_two_of_one_name_are_refused() -> None:
    handed = Handed(sockets=(("web", 3), ("Web", 4)))
    with pytest.raises(CircusError, match="two sockets named Web"):
        handed.by_name()


def test_its_place_can_be_left_for_one_of_our_own(sockets: CircusSockets) -> None:
    sockets.prepare({"web": activated("web")}).commit()
    theirs = sockets["web"]
    with closing(theirs):
        swap = sockets.prepare({"web": socket_from_mapping("web", {"port": 0})})
        swap.commit()
        swap.finish()
        assert sockets["web"] is not theirs
