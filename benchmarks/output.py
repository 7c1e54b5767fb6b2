"""What workers write, captured into files: how fast, at what cost, and whether lines stay whole."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks import machine
from benchmarks.loads import LINE_BYTES, whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.bench import Bench
    from benchmarks.running import Running

WARM_UP = 0.5
WRITING = 2.0
LOOKED_AT = 20_000_000
"""Bytes in which torn lines are looked for."""


def one(bench: Bench) -> None:
    """Of one worker."""
    _captured(bench, 1)


def twenty(bench: Bench) -> None:
    """Of twenty: where they have one file, their lines meet in it."""
    _captured(bench, 20)


def _captured(bench: Bench, count: int) -> None:
    speed, cost, torn = (f"output-{count}{end}" for end in ("", "-cpu", "-torn"))
    load = bench.site.chatterers(count)
    for _number, peer in bench.turns(f"output of {count}"):
        with bench.failing(peer, speed, cost, torn), bench.running(peer, load) as found:
            found.up(count)
            machine.rest(WARM_UP)
            seconds, moved, used = _window(found)
            found.close()
            if not moved:
                raise machine.TooSlow(f"nothing arrived; {found.last_words()}")
            bench.add(speed, peer, moved / seconds / 1e6)
            bench.add(cost, peer, used / moved * 1e9)
            lines = list(_lines(found.folder / "log"))
            bench.add(torn, peer, 100 * sum(not whole(line) for line in lines) / len(lines))
            for path in _files(found.folder / "log"):
                path.unlink()


def _window(found: Running) -> tuple[float, int, float]:
    """Seconds, bytes that reached the files, CPU seconds of all but the workers."""
    log, pids = found.folder / "log", found.supervisors()
    bytes_before, cpu_before, began = _size(log), machine.cpu(pids), time.perf_counter()
    machine.rest(WRITING)
    bytes_after, cpu_after = _size(log), machine.cpu(pids)
    return time.perf_counter() - began, bytes_after - bytes_before, cpu_after - cpu_before


def _files(log: Path) -> list[Path]:
    """Logs; what else loggers keep beside them is small."""
    return [path for path in log.rglob("*") if path.is_file() and path.name != "config"]


def _size(log: Path) -> int:
    return sum(path.stat().st_size for path in _files(log))


def _lines(log: Path) -> Iterator[bytes]:
    """Those in the first part of each file but the last one, which may not be complete."""
    files = [path for path in _files(log) if path.stat().st_size > LINE_BYTES]
    for path in files:
        with path.open("rb") as file:
            text = file.read(LOOKED_AT // len(files))
        yield from text.split(b"\n")[:-1]
