"""The sockets and their workers change while somebody connects all the time."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from tests.support import child, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start
    from tests.support import Daemon

ROUNDS = 50


class Load:
    """Connects again and again from several threads, and counts what comes back."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers: dict[str, int] = {}
        self.failures: list[str] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(3)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
                    text = connection.recv(100).decode()
            except OSError as error:
                self.failures.append(repr(error))
                continue
            self.answers[text] = self.answers.get(text, 0) + 1

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()


def configuration(command: str, *, port: int, backlog: int, other: str = "") -> str:
    serve = child("serve", "$(circus.sockets.NAME)", "WORD")
    return (
        "".join(
            f"[socket:{name}]\nhost = 127.0.0.1\nport = {where}\nbacklog = {backlog}\n"
            "blocking = False\n"
            f"[watcher:{name}]\ncmd = {serve.replace('NAME', name).replace('WORD', word)}\n"
            "numprocesses = 2\nuse_sockets = True\ncopy_env = True\n"
            for name, where, word in (("steady", 0, command), ("moving", port, "moving"))
        )
        + other
    )


def port_of(daemon: Daemon, name: str) -> int:
    found = {one["name"]: one["port"] for one in daemon.call("listsockets")["sockets"]}
    return int(found[name])


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return ports


def answer(port: int) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        return connection.recv(100).decode()


def test_t9_fifty_changes_under_load_refuse_nobody(circusd: Start) -> None:
    ports = free_ports(2)
    daemon = circusd(configuration("first", port=ports[0], backlog=64))
    daemon.wait_pids("steady", 2)
    load = Load(port_of(daemon, "steady"))
    try:
        for number in range(ROUNDS):
            port = ports[number % 2]
            kept = daemon.pids("moving")
            # in turn: command and port, backlog alone, what cannot be applied
            if number % 5 == 4:
                before = daemon.pids("steady"), kept
                taken = f"[socket:taken]\nhost = 127.0.0.1\nport = {load.port}\n"
                daemon.write(configuration("never", port=1, backlog=9, other=taken))
                refused = daemon.ctl("reloadconfig", "--waiting")
                assert refused.returncode == 1
                assert "cannot bind socket" in refused.stderr
                assert (daemon.pids("steady"), daemon.pids("moving")) == before
                continue
            command = f"word{number}"
            daemon.write(configuration(command, port=port, backlog=64 + number))
            done = daemon.call("reloadconfig", waiting=True)
            assert done["status"] == "ok", done
            assert answer(load.port) == command
            assert port_of(daemon, "moving") == port
            assert answer(port) == "moving"
        wait_until(lambda: sum(load.answers.values()) > ROUNDS)
    finally:
        load.end()
    assert load.failures == []
    assert "never" not in load.answers
