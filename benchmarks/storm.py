"""Everything goes wrong at once, and somebody asks for the status.

One stop hangs for a minute, a hundred workers end as soon as they start, fifty watchers have
commands that do not exist and are tried for ever, and sixteen clients ask without a pause.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import zmq

from benchmarks import clients, machine
from benchmarks.control import CLIENTS, echoing
from benchmarks.peers import FLOOR
from benchmarks.running import Running

if TYPE_CHECKING:
    from benchmarks.bench import Bench
    from benchmarks.peers import Peer

SECONDS = 20.0
RESTART_EVERY = 2.0
WATCHERS = """\
[watcher:stubborn]
cmd = {stubborn}
graceful_timeout = 60
[watcher:calm]
cmd = {sleeper}
[watcher:crashing]
cmd = /bin/false
numprocesses = 100
max_retry = -1
"""
WRONG = "[watcher:wrong{number}]\ncmd = /nonexistent/program\nmax_retry = -1\n"


def storm(bench: Bench) -> None:
    """Once for each that understands it; the floor has the clients only."""
    for peer in bench.peers:
        if peer.name != FLOOR and peer.serve is None:
            continue
        bench.report.progress(f"storm: {peer.name}")
        names = ("storm", "storm-restart", "storm-cpu", "storm-log")
        with bench.failing(peer, *names):
            _weather(bench, peer)
        machine.end_everything()


def _weather(bench: Bench, peer: Peer) -> None:
    folder = bench.site.start()
    if peer.serve is None:
        with echoing(peer, folder) as one:
            _Asking(one, bench).run(calm=True)
        return
    stubborn = folder / "stubborn"
    sleeper = bench.site.sleepers(1)
    stubborn.write_text(f"#!/bin/sh\ntrap '' TERM\nexec {sleeper.command}\n")
    stubborn.chmod(0o755)
    text = WATCHERS.format(stubborn=stubborn, sleeper=sleeper.command)
    text += "".join(WRONG.format(number=number) for number in range(50))
    one = Running(peer, folder, peer.serve(folder, text), sleeper.program)
    try:
        one.up(2)
        _Asking(one, bench).run(calm=False)
    finally:
        one.close()


class _Asking:
    """The clients in the storm."""

    def __init__(self, one: Running, bench: Bench) -> None:
        assert one.peer.socket is not None
        self._one = one
        self._bench = bench
        self._endpoint = one.peer.socket(one.folder)
        self._restarts: list[float] = []

    def run(self, *, calm: bool) -> None:
        """Ask for so many seconds, and add what came of it."""
        ask = clients.ZmqConnection(self._endpoint, "status")
        restart = clients.ZmqConnection(self._endpoint, "restart", name="calm", waiting=True)
        clients.one_after_another(ask, 1)
        if not calm:
            clients.one_after_another(
                clients.ZmqConnection(self._endpoint, "stop", name="stubborn"), 1
            )
        program = str(Path(clients.__file__))
        crowd = subprocess.Popen(
            [sys.executable, program, self._endpoint, str(CLIENTS), str(SECONDS + 1)],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._measure(ask, None if calm else restart)
        finally:
            crowd.kill()
            crowd.wait()
            ask.close()
            restart.close()

    def _measure(self, ask: clients.ZmqConnection, restart: clients.ZmqConnection | None) -> None:
        daemon = self._one.supervisors()[:1]
        lines, cpu, began = self._lines(), machine.cpu(daemon), time.perf_counter()
        times = self._ask(ask, restart, began + SECONDS)
        spent = time.perf_counter() - began
        add, peer = self._bench.add, self._one.peer
        add("storm", peer, 1000 * statistics.quantiles(times, n=100)[98])
        add("storm-cpu", peer, 100 * (machine.cpu(daemon) - cpu) / spent)
        add("storm-log", peer, (self._lines() - lines) / spent)
        if restart is not None:
            if not self._restarts:
                raise clients.Silent("no restart was answered")
            add("storm-restart", peer, 1000 * max(self._restarts))

    def _ask(
        self, ask: clients.ZmqConnection, restart: clients.ZmqConnection | None, until: float
    ) -> list[float]:
        """Seconds of each question, while a healthy watcher is restarted now and then."""
        times, asked = [], 0.0
        waiting = False
        while (now := time.perf_counter()) < until:
            if restart is not None and not waiting and now > asked + RESTART_EVERY:
                restart.send()
                asked, waiting = now, True
            times += clients.one_after_another(ask, 1)
            if restart is not None and waiting and restart.pollable.poll(0, zmq.POLLIN):
                answer = json.loads(restart.receive())
                if answer["status"] != "ok":
                    raise clients.Silent(f"restart: {answer.get('reason')}")
                self._restarts.append(time.perf_counter() - asked)
                waiting = False
            time.sleep(0.002)  # what is measured must not be drowned by who measures
        return times

    def _lines(self) -> int:
        return (self._one.folder / "messages").read_bytes().count(b"\n")
