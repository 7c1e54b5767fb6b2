"""One change among many watchers and sockets: looked at, and made.

The floor reads the same file with `configparser`, and does nothing about it.
"""

from __future__ import annotations

import configparser
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.peers import FLOOR, OURS
from benchmarks.running import Running
from circus.client import CircusClient

if TYPE_CHECKING:
    from benchmarks.bench import Bench
    from benchmarks.peers import Peer

WATCHERS, SOCKETS = 1000, 100
TURNS = 5
"""Changes of one round; their median counts."""


def one_among_many(bench: Bench) -> None:
    """The CPU that `plan`, and `reloadconfig` of one changed watcher, take."""
    for _, peer in bench.turns("changes"):
        if peer.name not in (FLOOR, OURS):
            continue
        folder = bench.site.start()
        with bench.failing(peer, "plan", "reload-one"):
            if peer.name == FLOOR:
                for _ in range(TURNS):
                    taken = _reading(bench.site.sleepers(1).command)
                    bench.add("plan", peer, 1000 * taken)
                    bench.add("reload-one", peer, 1000 * taken)
            else:
                _change(bench, peer, folder)


def _text(command: str, argument: int) -> str:
    """`argument` is that of one of the watchers."""
    sockets = [f"[socket:s{n}]\nhost = 127.0.0.1\nport = 0\n" for n in range(SOCKETS)]
    watchers = [
        f"[watcher:w{n}]\ncmd = {command}{argument if n == WATCHERS // 2 else ''}\n"
        f"sockets = s{n % SOCKETS}\npriority = {n}\n[env:w{n}]\nNUMBER = {n}\nNAME = value\n"
        for n in range(WATCHERS)
    ]
    return "".join([*sockets, *watchers])


def _reading(command: str) -> float:
    """Seconds of CPU."""
    began = time.process_time()
    configparser.RawConfigParser(strict=False).read_string(_text(command, 1))
    return time.process_time() - began


def _change(bench: Bench, peer: Peer, folder: Path) -> None:
    assert peer.serve is not None
    load = bench.site.sleepers(WATCHERS)
    one = Running(peer, folder, peer.serve(folder, _text(load.command, 0)), load.program)
    try:
        one.up(WATCHERS)
        client = CircusClient(endpoint=f"ipc://{folder}/control", timeout=60)
        try:
            for turn in range(1, TURNS + 1):
                peer.serve(folder, _text(load.command, turn))
                bench.add("plan", peer, 1000 * _asked(client, one, "plan"))
                taken = _asked(client, one, "reloadconfig", waiting=True)
                bench.add("reload-one", peer, 1000 * taken)
        finally:
            client.stop()
    finally:
        one.close()


def _asked(client: CircusClient, one: Running, verb: str, **properties: Any) -> float:
    """Seconds of the daemon's CPU."""
    before = _used(one)
    answer = client.send_message(verb, **properties)
    assert [step["name"] for step in answer["steps"]] == [f"w{WATCHERS // 2}"], answer
    return _used(one) - before


def _used(one: Running) -> float:
    """Seconds of CPU so far, those of threads that have ended too."""
    (pid,) = one.supervisors()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
