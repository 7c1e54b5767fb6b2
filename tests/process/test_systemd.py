"""What systemd and a process tell each other, with a socket of ours in systemd's place."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from circus import systemd
from circus.systemd import Notifier, take

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def told(tmp_path: Path) -> Iterator[socket.socket]:
    """What systemd would read."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.bind(str(tmp_path / "notify"))
        yield sock


def test_a_message_arrives_as_a_whole(told: socket.socket) -> None:
    assert Notifier(told.getsockname()).send(["READY=1", systemd.status("one\ntwo")])
    assert told.recv(4096) == b"READY=1\nSTATUS=one two"


def test_an_address_without_a_file_works_too() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("")  # the kernel chooses one
        assert Notifier("@" + sock.getsockname()[1:].decode()).send(["READY=1"])
        assert sock.recv(4096) == b"READY=1"


def test_nobody_waits_for_a_reader(told: socket.socket) -> None:
    notifier = Notifier(told.getsockname())
    while notifier.send(["STATUS=x"]):
        pass
    told.recv(4096)
    assert notifier.send(["STATUS=x"])


def test_nobody_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Notifier(str(tmp_path / "nothing")).send(["READY=1"])


def test_a_status_fits_into_a_message(told: socket.socket) -> None:
    assert Notifier(told.getsockname()).send([systemd.status("ü" * 5000)])
    assert len(told.recv(9999)) < 4096


def test_what_systemd_gave_is_taken_out_of_the_environment(told: socket.socket) -> None:
    environ = {
        "NOTIFY_SOCKET": told.getsockname(),
        "WATCHDOG_USEC": "3000000",
        "WATCHDOG_PID": str(os.getpid()),
        "LISTEN_FDS": "0",
        "LISTEN_PID": str(os.getpid()),
        "OTHER": "stays",
    }
    handed = take(environ)
    assert environ == {"OTHER": "stays"}
    assert handed.notifier is not None
    assert (handed.watchdog, handed.sockets) == (3.0, ())


def test_what_was_meant_for_another_process_is_not_ours() -> None:
    other = str(os.getpid() + 1)
    environ = {
        "WATCHDOG_USEC": "3000000",
        "WATCHDOG_PID": other,
        "LISTEN_FDS": "1",
        "LISTEN_FDNAMES": "web",
        "LISTEN_PID": other,
    }
    handed = take(environ)
    assert environ == {}
    assert (handed.notifier, handed.watchdog, handed.sockets) == (None, None, ())
