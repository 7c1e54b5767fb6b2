"""Starting, standing still, dying and stopping."""

from __future__ import annotations

import os
import signal
import statistics
import time
from typing import TYPE_CHECKING

from benchmarks import machine
from benchmarks.loads import Bell
from benchmarks.running import PATIENCE

if TYPE_CHECKING:
    from benchmarks.bench import Bench
    from benchmarks.peers import Peer
    from benchmarks.running import Running

IDLE = 30.0
SETTLE = 1.5
"""Seconds after which a worker counts as running well, also with those that wait for that."""
KILLS = 9
KILLING = 4.0
"""Seconds after which a supervisor has been asked for enough successors."""


def standing(bench: Bench) -> None:
    """All up, idle, memory, all stopped."""
    load = bench.site.sleepers(bench.workers)
    for number, peer in bench.turns("up and stop"):
        with bench.failing(peer, "up", "idle", "memory", "stop"), bench.running(peer, load) as one:
            bench.add("up", peer, one.up(load.count))
            if number == 0:
                _stand(bench, one)
            machine.rest(SETTLE if bench.wanted & {"stop"} else 0)
            bench.add("stop", peer, one.stop())


def _stand(bench: Bench, one: Running) -> None:
    """Once is enough: thirty seconds are long, and memory does not vary."""
    if not bench.wanted & {"idle", "memory"}:
        return
    machine.rest(SETTLE)
    pids = one.supervisors()
    if "idle" in bench.wanted:
        machine.rest(SETTLE)
        before = machine.cpu(pids)
        machine.rest(IDLE)
        bench.add("idle", one.peer, 1000 * (machine.cpu(pids) - before))
    bench.add("memory", one.peer, machine.pss(pids))


def identity(bench: Bench) -> None:
    """All up as another user, with limits."""
    if os.geteuid() != 0:
        for peer in bench.peers:
            bench.results.fail("up-identity", peer.name, "needs root")
        return
    load = bench.site.sleepers(bench.workers, identity=True)
    for _number, peer in bench.turns("up with user and limits"):
        with bench.failing(peer, "up-identity"), bench.running(peer, load) as one:
            bench.add("up-identity", peer, one.up(load.count))


def deaths_of_few(bench: Bench) -> None:
    """One killed of ten."""
    for _number, peer in bench.turns("killed of 10"):
        with bench.failing(peer, "successor-10"):
            _deaths(bench, peer, 10, "successor-10")


def deaths_of_many(bench: Bench) -> None:
    """One killed of all, then half of all."""
    for _number, peer in bench.turns("killed of many"):
        with bench.failing(peer, "successor", "half-killed"):
            _deaths(bench, peer, bench.workers, "successor", half="half-killed")


def _deaths(bench: Bench, peer: Peer, count: int, one_killed: str, half: str = "") -> None:
    bell = Bell(bench.site.folder)
    try:
        with bench.running(peer, bench.site.ringers(count, bell)) as one:
            workers = bell.rings(count, within=PATIENCE)
            one.census.reach(count, within=PATIENCE)
            machine.rest(SETTLE)
            # each dies once: nobody is to be held back as one that keeps dying
            if one_killed in bench.wanted:
                bench.add(one_killed, peer, 1000 * _successors(workers, bell))
            if half in bench.wanted:
                machine.rest(SETTLE)
                bench.add(half, peer, _killed(workers[-(count // 2) :], bell))
    finally:
        machine.end_everything()
        bell.close()


def _successors(workers: list[int], bell: Bell) -> float:
    """Median seconds from a death to the first instruction of the next."""
    until = time.perf_counter() + KILLING
    times: list[float] = []
    for pid in workers[: min(KILLS, len(workers) - 1)]:
        times.append(_killed([pid], bell))
        if time.perf_counter() > until:
            break
        machine.rest(0.05)  # the next one dies when all is at rest again
    return statistics.median(times)


def _killed(victims: list[int], bell: Bell) -> float:
    """Seconds until these are all replaced."""
    began = time.perf_counter()
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    bell.rings(len(victims), within=PATIENCE)
    return time.perf_counter() - began
