"""Questions over the socket, and from the command line."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks import clients
from benchmarks.machine import TooSlow, end_everything
from benchmarks.peers import FLOOR, FLOOR_PROGRAM, OURS
from benchmarks.running import PATIENCE, Running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.bench import Bench
    from benchmarks.peers import Peer

CLIENTS = 16
WORKERS = 10
QUESTIONS = 500
BLOCKS = 4
CROWDED = 1.0
"""Seconds for which many ask."""
LINES = 8


def questions(bench: Bench) -> None:
    """Everybody runs at once and is asked in turn, in short blocks."""
    with contextlib.ExitStack() as stack:
        answering: list[tuple[Peer, list[clients.Connection]]] = []
        for peer in bench.peers:
            if peer.socket is None:
                continue
            with bench.failing(peer, "trip", "clients"):
                one = stack.enter_context(_answering(bench, peer))
                connected = [_connect(peer.socket(one.folder), stack) for _ in range(CLIENTS)]
                clients.one_after_another(connected[0], 50)
                answering.append((peer, connected))
        for number in range(bench.rounds * BLOCKS):
            bench.report.progress(f"questions: block {number + 1} of {bench.rounds * BLOCKS}")
            for peer, connected in answering:
                with bench.failing(peer, "trip", "clients"):
                    _ask(bench, peer, connected)
    end_everything()


def _ask(bench: Bench, peer: Peer, connected: list[clients.Connection]) -> None:
    if "trip" in bench.wanted:
        times = sorted(clients.one_after_another(connected[0], QUESTIONS))
        bench.add("trip", peer, 1000 * times[QUESTIONS // 2])
    if "clients" in bench.wanted:
        bench.add("clients", peer, clients.all_at_once(connected, CROWDED))


def _connect(address: str, stack: contextlib.ExitStack) -> clients.Connection:
    """Whoever answers there may only be starting."""
    until = time.perf_counter() + PATIENCE
    while True:
        try:
            found = clients.connect(address)
        except OSError as error:
            if time.perf_counter() > until:
                raise TooSlow(f"nobody answers: {error}") from error
            time.sleep(0.05)  # it is still being started
        else:
            stack.callback(found.close)
            return found


@contextlib.contextmanager
def _answering(bench: Bench, peer: Peer) -> Iterator[Running]:
    """One with a few workers; the floor has none, and echoes."""
    if peer.name != FLOOR:
        with bench.running(peer, bench.site.sleepers(WORKERS)) as one:
            one.up(WORKERS)
            yield one
        return
    with echoing(peer, bench.site.start()) as one:
        yield one


@contextlib.contextmanager
def echoing(floor: Peer, folder: Path) -> Iterator[Running]:
    """The floor of everything that answers."""
    assert floor.socket is not None
    command = [sys.executable, FLOOR_PROGRAM, "echo", floor.socket(folder)]
    one = Running(floor, folder, command, "none")
    try:
        yield one
    finally:
        one.close()


def command_lines(bench: Bench) -> None:
    """One command after another, each with a start of its own; the floor asks ours."""
    with contextlib.ExitStack() as stack:
        commands: list[tuple[Peer, list[str]]] = []
        for peer in bench.peers:
            if peer.question is None:
                continue
            with bench.failing(peer, "ctl"):
                one = stack.enter_context(_answering(bench, peer))
                _once(peer.question(one.folder), patient=True)
                commands.append((peer, peer.question(one.folder)))
                if peer.name == OURS and peer.socket is not None:
                    ask = [sys.executable, FLOOR_PROGRAM, "ask", peer.socket(one.folder)]
                    commands.append((bench.peers[0], ask))
        for number in range(bench.rounds * LINES):
            bench.report.progress(f"command lines: {number + 1} of {bench.rounds * LINES}")
            for peer, command in commands:
                with bench.failing(peer, "ctl"):
                    bench.add("ctl", peer, 1000 * _once(command))
    end_everything()


def _once(command: list[str], *, patient: bool = False) -> float:
    """Seconds that a command takes. `patient`: until one succeeds."""
    until = time.perf_counter() + (PATIENCE if patient else 0)
    while True:
        began = time.perf_counter()
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TooSlow(f"{command[0]} does not end") from None
        if done.returncode == 0:
            return time.perf_counter() - began
        if time.perf_counter() > until:
            raise TooSlow(f"{command[0]}: {(done.stderr or done.stdout)[-100:].decode().strip()}")
        time.sleep(0.1)  # it does not answer yet
