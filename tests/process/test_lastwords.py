"""The dead wait until their pipes are read, and not much longer."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from circus.lastwords import LastWords
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
