"""Everything that real workers write arrives, in whole lines."""

from __future__ import annotations

import collections
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

from circus.stream import FileStream, QueueStream
from tests.support import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.process.stream.conftest import Bench

MIB = 1 << 20
WRITE_A_MIB_THEN = """
import os, sys
left = b"0123456789abcdef" * 65536
while left: left = left[os.write(1, left):]
"""
NUMBERED = """
import sys
for n in range(int(sys.argv[2])): sys.stdout.write(f"{sys.argv[1]} {n} end\\n")
"""


def test_t22_a_worker_that_writes_and_exits_loses_nothing(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "out"
    for _time in range(5):
        bench.run(WRITE_A_MIB_THEN, sink=FileStream(str(path)))
    bench.finish()
    text = path.read_bytes()
    assert len(text) - text.count(b"\n") == 5 * MIB
    assert text.count(b"0123456789abcdef") >= 5 * (MIB // 16 - 2 * 4)


def test_t22_a_worker_that_is_killed_loses_nothing(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "out"
    kill = WRITE_A_MIB_THEN + "os.kill(os.getpid(), 9)"
    child = bench.run(kill, sink=FileStream(str(path)))
    bench.finish()
    assert child.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"0123456789abcdef" * (MIB // 16)


def test_t22_a_slow_sink_makes_the_worker_wait_and_loses_nothing(bench: Bench) -> None:
    """The sink takes its first piece only when the worker has come to a stop."""
    go, got = threading.Event(), bytearray()

    def slow(record: dict[str, Any]) -> None:
        go.wait()
        got.extend(record["data"])

    program = """
import os, select, sys
os.set_blocking(1, False)
done = 0
while True:
    try: done += os.write(1, b"x" * 99 + b"\\n")
    except BlockingIOError:
        if not select.select([], [1], [], 0.2)[1]: break
sys.stderr.write(str(done))
"""
    report = QueueStream()
    child = bench.run(program, sink=slow, errors=report)
    child.wait()
    go.set()
    bench.finish()
    written = int(report.get_nowait()["data"])
    assert len(got) == written < 2 * MIB


def test_lines_of_twenty_chatty_workers_stay_whole_in_one_file(
    bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "out"
    for number in range(20):
        bench.run(NUMBERED, str(number), "20000", sink=FileStream(str(path)))
    bench.finish()
    seen: collections.Counter[str] = collections.Counter()
    with path.open() as file:
        for line in file:
            who, count, end = line.split(" ")
            assert (int(count), end) == (seen[who], "end\n")
            seen[who] += 1
    assert seen == dict.fromkeys(map(str, range(20)), 20000)


def test_stdout_and_stderr_share_a_file_in_whole_lines(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "out"
    program = """
import os
for n in range(3000):
    for fd in (1, 2):
        os.write(fd, b"%d begun " % fd)
        os.write(fd, b"%d ended\\n" % fd)
"""
    bench.run(program, sink=FileStream(str(path)), errors=FileStream(str(path)))
    bench.finish()
    lines = collections.Counter(path.read_bytes().splitlines())
    assert lines == {b"1 begun 1 ended": 3000, b"2 begun 2 ended": 3000}


def test_t23_a_long_line_of_wide_characters_has_one_stamp(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "out"
    text = "€" * 68_000  # 204 000 bytes: every read ends inside a character
    program = f"print('€' * {len(text)}, flush=True); print('short')"
    child = bench.run(program, sink=FileStream(str(path), time_format="NOW"))
    bench.finish()
    stamp = f"NOW [{child.pid}] | "
    assert path.read_text().splitlines() == [stamp + text, stamp + "short"]


def test_t23_characters_survive_reads_that_cut_them(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "out"
    program = """
import os
for byte in ("€" * 2000).encode(): os.write(1, bytes([byte]))
"""
    bench.run(program, sink=FileStream(str(path), time_format="NOW"))
    bench.finish()
    assert path.read_text().rpartition("| ")[2].strip() == "€" * 2000


def test_t24_random_bytes_pass_unchanged(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "out"
    data = os.urandom(20 * MIB)
    bench.feed(FileStream(str(path)), data)
    bench.finish()
    assert path.read_bytes() == data


def test_t24_random_bytes_with_stamps(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "out"
    data = os.urandom(2 * MIB) + b"\n"
    bench.feed(FileStream(str(path), time_format="NOW"), data)
    bench.finish()
    assert path.read_bytes().replace(b"NOW [1] | ", b"") == data


def test_t26_numbered_lines_across_a_hundred_rotations(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "out"
    sink = FileStream(str(path), max_bytes="50000", backup_count="1000")
    bench.run(NUMBERED, "a", "400000", sink=sink)
    bench.finish()
    files = sorted(tmp_path.iterdir(), key=lambda one: -int(one.suffix[1:] or 0))
    assert len(files) > 100
    assert all(one.stat().st_size < 50000 for one in files)
    lines = b"".join(one.read_bytes() for one in files).splitlines()
    assert lines == [b"a %d end" % number for number in range(400_000)]


def test_a_prompt_is_shown_and_its_line_not_torn(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.touch()
    end = bench.pipe(FileStream(str(path), time_format="NOW"))
    os.write(end, b"Password: ")
    wait_until(lambda: path.read_bytes() == b"NOW [1] | Password: ")
    os.write(end, b"secret\n")
    os.close(end)
    bench.finish()
    assert path.read_bytes() == b"NOW [1] | Password: secret\n"


def test_a_line_beyond_the_limit_is_passed_on_in_pieces(bench: Bench) -> None:
    queue = QueueStream()
    bench.feed(queue, b"x" * 3 * MIB + b"\nshort\n")
    bench.finish()
    pieces = [queue.get_nowait()["data"] for _piece in range(queue.qsize())]
    assert max(map(len, pieces)) <= MIB
    assert b"".join(pieces) == b"x" * 3 * MIB + b"\nshort\n"


def test_a_record_says_whose_it_is_and_when(bench: Bench) -> None:
    queue, before = QueueStream(), time.time()
    bench.run("import sys; print('out'); print('err', file=sys.stderr)", sink=queue, errors=queue)
    pid = bench.children[0].pid
    bench.finish()
    records = {record["name"]: record for record in (queue.get(), queue.get())}
    assert records["stdout"]["data"] == b"out\n"
    assert records["stderr"]["data"] == b"err\n"
    for record in records.values():
        assert record["pid"] == pid
        assert before <= record["timestamp"] <= time.time()
        assert type(record["data"]) is bytes


def test_counts_are_kept_over_the_life_of_workers(bench: Bench) -> None:
    for _time in range(3):
        bench.feed(QueueStream(), b"12345\n")
    bench.finish()
    assert bench.pump.counts()["w", "stdout"].bytes_in == 18
