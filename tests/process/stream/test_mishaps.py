"""Numbered lines through each file stream while its file is moved, deleted, cut and has no room."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from circus.stream import Counts, FileStream, TimedRotatingFileStream, WatchedFileStream
from tests.support import needs_root, only_if, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.process.stream.conftest import Bench

LINES = 40_000
COUNTS = """
import sys
for line in sys.stdin:
    begin, end = map(int, line.split())
    for number in range(begin, end): sys.stdout.write(f"{number:07d} {'x' * 40}\\n")
    sys.stdout.flush()
"""
KINDS: dict[str, Callable[[str], FileStream]] = {
    "FileStream": lambda path: FileStream(path, max_bytes=20_000, backup_count=1000),
    "WatchedFileStream": lambda path: WatchedFileStream(path, max_bytes=20_000, backup_count=1000),
    "TimedRotatingFileStream": lambda path: TimedRotatingFileStream(path, rotate_when="S"),
}


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Room for little more than all the lines."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "circus-test", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def booked(bench: Bench) -> int:
    """So many bytes were written or dropped."""
    counts = bench.pump.counts().get(("w", "stdout"), Counts())
    return counts.bytes_out + counts.lost.size


def numbers(folder: Path) -> list[int]:
    """Those of the whole lines in all files of the folder."""
    lines = [line for file in folder.iterdir() for line in file.read_bytes().splitlines()]
    return [int(line[:7]) for line in lines if len(line) == 48]


@needs_root
@only_if(os.path.exists("/usr/sbin/mount") or os.path.exists("/usr/bin/mount"), "there is no mount")
@pytest.mark.parametrize("kind", KINDS)
def test_t25_t26_no_gap_but_what_is_counted(bench: Bench, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    path, kept = folder / "out", tmp_path / "kept"
    sent = iter(range(0, LINES + 1, LINES // 8))
    begin = next(sent)
    with small_disk(folder):
        sink = KINDS[kind](str(path))
        child = bench.run(COUNTS, sink=sink)
        assert child.stdin is not None
        orders = child.stdin

        def write() -> None:
            """An eighth of the lines; return when all are written or dropped."""
            nonlocal begin
            first, begin = begin, next(sent)
            orders.write(b"%d %d\n" % (first, begin))
            orders.flush()
            wait_until(lambda: booked(bench) == 49 * begin)

        write()
        path.rename(folder / "moved")
        bench.pump.reopen()
        write()
        kept.write_bytes(path.read_bytes())  # as logrotate's copytruncate, at rest
        os.truncate(path, 0)
        write()
        before = numbers(folder)
        path.unlink()
        gone = set(before) - set(numbers(folder))
        write()
        assert not bench.pump.counts()["w", "stdout"].lost.size
        fill(folder / "ballast")
        write()
        lost = bench.pump.counts()["w", "stdout"].lost
        assert lost.lines
        (folder / "ballast").unlink()
        for _time in range(3):
            write()
        bench.finish()
        assert bench.pump.counts()["w", "stdout"].lost == lost
        found = numbers(folder) + [int(line[:7]) for line in kept.read_bytes().splitlines()]
    assert len(found) == len(set(found))
    assert len(found) == LINES - len(gone) - lost.lines
    assert any("No space left on device" in one for one in bench.told)
    assert "it is written again" in bench.told[-1]


def fill(file: Path) -> None:
    """Until there is no room left."""
    with file.open("wb", buffering=0) as rest:
        try:
            while True:
                rest.write(bytes(1 << 12))
        except OSError:
            pass
