"""The dead wait until their pipes are read, and not much longer."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from circus.lastwords import PATIENCE, LastWords
from circus.stream import Pump, Source

if TYPE_CHECKING:
    from circus.stream import Sink
    from circus.stream.sink import Record

PID = 7


class Named:
    """A sink that wants the dead to wait."""

    names_workers = True

    def __init__(self) -> None:
        self.said: list[bytes] = []

    def __call__(self, record: Record) -> None:
        self.said.append(record["data"])


async def collected(sink: Sink, *, ends: bool) -> list[bool]:
    """Whether the worker might be collected, each time that was asked."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    answers: list[bool] = []

    def collect() -> None:
        answers.append(words.heard(PID))
        if answers[-1]:
            done.set()

    pump = Pump()
    words = LastWords(loop, pump, collect)
    reading, writing = os.pipe()
    pump.attach(reading, sink, Source("w", 1, PID, "stdout"))
    os.write(writing, b"last words\n")
    words.hear()
    if ends:
        os.close(writing)
    pump.start()
    await done.wait()
    pump.close(within=1.0)
    if not ends:
        os.close(writing)
    return answers


def test_they_wait_until_all_they_said_is_read() -> None:
    sink = Named()
    assert asyncio.run(collected(sink, ends=True)) == [False, True]
    assert sink.said == [b"last words\n"]


def test_they_do_not_wait_for_somebody_else_who_holds_their_pipe() -> None:
    assert asyncio.run(collected(Named(), ends=False))[:2] == [False, True]


def test_they_do_not_wait_where_no_sink_names_them() -> None:
    assert asyncio.run(collected(lambda record: None, ends=True)) == [True]


PROGRAM = """
import os
import subprocess
import sys
from circus.host.reaper import Reaper

reaper, told, held = Reaper(adopt=True), [], set()
reaper.may_collect = lambda pid: pid not in held
pids = [os.fork() or os._exit(0) for _ in range(3)]
for pid in pids:
    reaper.watch(pid, lambda how, pid=pid: told.append(pid))
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
held.update(pids[::2])
assert reaper.reap() == 1
assert told == [pids[1]]
held.clear()
assert reaper.reap() == 2
assert sorted(told) == sorted(pids)
"""


def test_one_who_waits_keeps_nobody_else_waiting() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=20)


COLLECTED_BESIDE = """
import os
from circus.host.reaper import Exit, Reaper

def another_thread_is_first(pid):
    os.waitpid(pid, 0)
    return True

reaper, told = Reaper(adopt=True), []
reaper.may_collect = another_thread_is_first
pid = os.fork() or os._exit(7)
reaper.watch(pid, told.append)
os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
reaper.reap()
assert told == [Exit(code=7)]
"""


def test_one_whom_another_thread_collects_meanwhile_is_told_too() -> None:
    subprocess.run([sys.executable, "-c", COLLECTED_BESIDE], check=True, timeout=20)


async def _given_up_together(count: int) -> float:
    """Seconds until so many may be collected whose pipes somebody else holds, each."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    left = set(range(1, count + 1))

    def collect() -> None:
        left.difference_update([pid for pid in left if words.heard(pid)])
        if not left:
            done.set()

    pump = Pump()
    words = LastWords(loop, pump, collect)
    ends = []
    for pid in left:
        reading, writing = os.pipe()
        pump.attach(reading, Named(), Source("w", pid, pid, "stdout"))
        ends.append(writing)
    pump.start()
    began = loop.time()
    words.hear()
    await done.wait()
    took = loop.time() - began
    pump.close(within=1.0)
    for writing in ends:
        os.close(writing)
    return took


def test_those_who_wait_in_vain_do_so_at_the_same_time() -> None:
    assert PATIENCE <= asyncio.run(_given_up_together(20)) < 10 * PATIENCE
