"""Real pipes through the pump into real files."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from circus.exc import CircusError
from circus.stream import FileStream, Loss, Pump, QueueStream, Source, StdoutStream, get_stream
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

CHATTY = (
    "import sys\nfor n in range(int(sys.argv[2])): sys.stdout.write(f'{sys.argv[1]} {n} end\\n')"
)


@pytest.fixture
def pump() -> Iterator[Pump]:
    one = Pump()
    one.start()
    yield one
    one.close(within=5.0)


def feed(pump: Pump, sink: Any, data: bytes, pid: int = 1) -> None:
    """Write all of it into a pipe of its own, then close it."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    pump.attach(reading, sink, Source("w", pid, pid, "stdout"))
    with open(writing, "wb") as file:
        file.write(data)


def test_t22_t24_every_byte_arrives(pump: Pump, tmp_path: Path) -> None:
    data = os.urandom(3 << 20)
    path = tmp_path / "out"
    feed(pump, FileStream(str(path)), data)
    wait_until(lambda: path.stat().st_size == len(data))
    assert path.read_bytes() == data


def test_lines_of_many_writers_stay_whole(pump: Pump, tmp_path: Path) -> None:
    path = tmp_path / "out"
    children = []
    for number in range(8):
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        sink = FileStream(str(path))
        pump.attach(reading, sink, Source("w", number, number, "stdout"))
        command = [sys.executable, "-S", "-c", CHATTY, str(number), "20000"]
        children.append(subprocess.Popen(command, stdout=writing))
        os.close(writing)
    assert [child.wait() for child in children] == [0] * 8
    wait_until(lambda: path.read_bytes().count(b"\n") == 8 * 20000)
    seen = dict.fromkeys(range(8), 0)
    for line in path.read_text().splitlines():
        who, count, end = line.split()
        assert (int(count), end) == (seen[int(who)], "end")
        seen[int(who)] += 1


def test_t26_rotation_loses_no_line_and_tears_none(pump: Pump, tmp_path: Path) -> None:
    path = tmp_path / "out"
    lines = [b"%06d line\n" % number for number in range(20_000)]
    feed(pump, FileStream(str(path), max_bytes="4096", backup_count="1000"), b"".join(lines))
    pump.close(within=20.0)
    files = sorted(tmp_path.iterdir(), key=lambda one: -int(one.suffix[1:] or 0))
    assert len(files) > 50
    assert all(one.read_bytes()[-1:] in (b"\n", b"") for one in files)
    assert all(one.stat().st_size <= 4096 for one in files)
    assert b"".join(one.read_bytes() for one in files) == b"".join(lines)


def test_t23_time_stamps_stand_at_the_beginning_of_lines(pump: Pump, tmp_path: Path) -> None:
    path = tmp_path / "out"
    text = "€" * 70_000 + "\nshort\n"
    feed(pump, FileStream(str(path), time_format="NOW"), text.encode())
    wait_until(lambda: path.stat().st_size == len(text.encode()) + 2 * len("NOW [1] | "))
    assert path.read_text() == "".join(f"NOW [1] | {line}\n" for line in text.splitlines())


def test_t25_reopen_goes_on_in_a_new_file(pump: Pump, tmp_path: Path) -> None:
    path = tmp_path / "out"
    sink = FileStream(str(path))
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    pump.attach(reading, sink, Source("w", 1, 1, "stdout"))
    os.write(writing, b"before\n")
    wait_until(lambda: path.read_bytes() == b"before\n")
    path.rename(tmp_path / "moved")
    pump.reopen()
    wait_until(lambda: not pump._orders)
    os.write(writing, b"after\n")
    wait_until(lambda: path.exists() and path.read_bytes() == b"after\n")
    os.close(writing)
    assert (tmp_path / "moved").read_bytes() == b"before\n"


def test_a_full_disk_is_told_and_counted() -> None:
    told: list[str] = []
    pump = Pump(lambda trouble: told.append(str(trouble)))
    pump.start()
    feed(pump, FileStream("/dev/full"), b"line\n" * 100)
    wait_until(lambda: told)
    counts = pump.counts()["w", "stdout"]
    pump.close(within=5.0)
    assert "No space left" in told[0]
    assert (counts.bytes_in, counts.bytes_out, counts.lost) == (500, 0, Loss(100, 500))


def test_counts_of_a_watcher_that_is_removed_are_forgotten(pump: Pump) -> None:
    queue = QueueStream()
    feed(pump, queue, b"one\n")
    queue.get(timeout=20)
    pump.forget("other")
    pump.forget("w")
    wait_until(lambda: not pump.counts())


def test_a_broken_sink_harms_nobody_else(pump: Pump, tmp_path: Path) -> None:
    def broken(_data: dict[str, Any]) -> None:
        raise RuntimeError("broken")

    queue = QueueStream()
    feed(pump, broken, b"one\n")
    feed(pump, queue, b"two\n", pid=2)
    item = queue.get(timeout=20)
    assert (item["pid"], item["name"], item["data"]) == (2, "stdout", b"two\n")


def test_configurations_of_streams(tmp_path: Path) -> None:
    assert get_stream(None) is None
    assert isinstance(get_stream({"class": "QueueStream", "refresh_time": "0.3"}), QueueStream)
    assert isinstance(get_stream({"class": "circus.stream.StdoutStream"}), StdoutStream)
    sink = get_stream({"filename": str(tmp_path / "x")})
    assert isinstance(sink, FileStream)
    sink.close()
    with pytest.raises(CircusError, match="no stream class 'NoStream'"):
        get_stream({"class": "NoStream"})
    with pytest.raises(CircusError, match="cannot write to"):
        get_stream({"filename": "/nowhere/file"})
    with pytest.raises(CircusError, match="cannot import"):
        get_stream({"class": "no.such.Class"})


def test_it_may_end_before_whoever_asked_for_that_has_woken_it() -> None:
    busy, go_on = threading.Event(), threading.Event()

    class Slow(QueueStream):
        def reopen(self) -> None:
            busy.set()
            go_on.wait()

    pump = Pump()
    pump.start()
    reading, writing = os.pipe()
    pump.attach(reading, Slow(), Source("w", 1, 1, "stdout"))
    pump.reopen()
    busy.wait()  # in the middle of its orders: it takes the next one without being woken

    def at_the_wake(_frame: FrameType, event: str, called: object) -> None:
        if event == "c_call" and called is os.eventfd_write:
            sys.setprofile(None)
            go_on.set()
            wait_until(lambda: not pump.alive)

    sys.setprofile(at_the_wake)
    try:
        pump.close(within=5.0)
    finally:
        sys.setprofile(None)
        os.close(writing)
    assert go_on.is_set()
    assert not pump.alive
