"""What circusd tells systemd, read by a socket of ours in its place."""

from __future__ import annotations

import contextlib
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.daemon.conftest import Start
    from tests.support import Daemon

TWO = "[watcher:web]\ncmd = sleep 1000\nnumprocesses = 2\n"


class Told:
    """Everything that was told so far."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._lines: list[str] = []

    @property
    def address(self) -> str:
        """Where it is told."""
        return str(self._socket.getsockname())

    @property
    def lines(self) -> list[str]:
        """One for each variable of each message."""
        try:
            while True:
                self._lines += self._socket.recv(4096).decode().split("\n")
        except BlockingIOError:
            return self._lines

    def has(self, beginning: str) -> bool:
        """Whether a line begins so."""
        return any(line.startswith(beginning) for line in self.lines)

    def order(self, *beginnings: str) -> list[str]:
        """Those of these beginnings that were told, in their order."""
        return [one for line in self.lines for one in beginnings if line.startswith(one)]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """What daemons of this test tell."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", sock.getsockname())
        yield Told(sock)


STATES = ("READY=1", "RELOADING=1", "STOPPING=1")


def hang_up(daemon: Daemon) -> None:
    daemon.process.send_signal(signal.SIGHUP)


def test_a_life_is_told_from_start_to_stop(circusd: Start, told: Told) -> None:
    daemon = circusd(TWO)
    wait_until(lambda: told.has("READY=1"))
    assert "STATUS=1 watcher active, 2 workers" in told.lines
    assert f"MAINPID={daemon.process.pid}" in told.lines
    hang_up(daemon)
    wait_until(lambda: told.order(*STATES) == ["READY=1", "RELOADING=1", "READY=1"])
    assert told.has("MONOTONIC_USEC=")
    daemon.process.terminate()
    assert daemon.process.wait() == 0
    assert told.order(*STATES) == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]
    # asked for by nobody, a watchdog is fed by nobody
    assert not told.has("WATCHDOG=1")


def test_a_start_from_anew_is_no_stop(circusd: Start, told: Told) -> None:
    daemon = circusd(TWO)
    wait_until(lambda: told.has("READY=1"))
    daemon.call("restart")
    wait_until(lambda: told.order(*STATES) == ["READY=1", "RELOADING=1", "READY=1"])


def test_a_reload_that_fails_stands_in_the_status_until_one_does_not(
    circusd: Start, told: Told
) -> None:
    daemon = circusd(TWO)
    wait_until(lambda: told.has("READY=1"))
    daemon.write(TWO.replace("2", "many"))
    hang_up(daemon)
    failed = "STATUS=1 watcher active, 2 workers; the last reload failed: "
    wait_until(lambda: told.has(failed))
    daemon.write(TWO)
    hang_up(daemon)
    wait_until(lambda: told.order("STATUS=1 watcher active, 2 workers", failed)[-1] != failed)


def test_who_waits_and_who_was_given_up_is_named(circusd: Start, told: Told) -> None:
    circusd(
        f"{TWO}[watcher:bad]\ncmd = /nonexistent\nmax_retry = 0\n"
        "[watcher:after]\ncmd = sleep 1000\nrequires = bad\n"
    )
    line = "STATUS=1 watcher active, 2 workers; after: waits for bad; bad: given up"
    wait_until(lambda: line in told.lines and told.has("READY=1"))


def test_of_many_in_trouble_some_are_named(circusd: Start, told: Told) -> None:
    """What is going to be tried again is backing off."""
    bad = "cmd = sh -c 'exit 1'\nmax_retry = -1\n"
    circusd("".join(f"[watcher:bad{number}]\n{bad}" for number in range(7)))
    some = "; ".join(f"bad{number}: backing off" for number in range(5))
    wait_until(lambda: f"STATUS=0 watchers active, 0 workers; {some}; and 2 more" in told.lines)


def test_a_watchdog_is_fed(circusd: Start, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    circusd(TWO)
    wait_until(lambda: told.lines.count("WATCHDOG=1") > 2)


def test_nothing_is_lost_when_systemd_does_not_read_for_a_while(circusd: Start, told: Told) -> None:
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as loud,
        contextlib.suppress(BlockingIOError),
    ):
        while True:
            loud.sendto(b"NOISE=1", told.address)
    daemon = circusd(TWO)
    daemon.wait_pids("web", 2)
    wait_until(lambda: told.has("READY=1"))
