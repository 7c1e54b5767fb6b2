"""Workers' lines as records: to a journald that the test reads, and to a real one."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from circus.exc import CircusError
from circus.host.journal import Journal, field
from circus.stream import Counts, JournalStream, Source
from circus.stream.journal import LINE_MAX
from circus.stream.pipe import KEPT_BYTES, SHARE_BYTES
from tests.journald import FakeJournald, RealJournald, needs_journald
from tests.journald import journald as journald
from tests.support import needs_root, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.process.stream.conftest import Bench


@pytest.fixture
def fake(folder: Path) -> Iterator[FakeJournald]:
    one = FakeJournald(folder)
    yield one
    one.close()


def stream(journald: FakeJournald | RealJournald, **options: str) -> JournalStream:
    return JournalStream(folder=str(journald.folder), **options)


def counts(bench: Bench) -> tuple[int, int, int]:
    found = bench.pump.counts().get(("w", "stdout"), Counts())
    return found.bytes_in, found.lost.size, found.lost.lines


# -- records ------------------------------------------------------------------------------------


def test_a_record_of_any_size_arrives(fake: FakeJournald) -> None:
    text = os.urandom(3 << 20)
    journal = Journal(str(fake.folder))
    journal.send([field("MESSAGE", text), b"PRIORITY=3\n"])
    entry = fake.read()
    assert entry["MESSAGE"] == text
    assert entry["PRIORITY"] == b"3"
    assert entry.pid == os.getpid()
    journal.close()


def test_a_full_journald_is_not_waited_for(fake: FakeJournald) -> None:
    journal = Journal(str(fake.folder))
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while sent < 1_000_000:
            journal.send([b"MESSAGE=", b"%d" % sent, b"\n"])
            sent += 1
    assert [int(entry["MESSAGE"]) for entry in fake.read_all()] == [*range(sent)]
    assert 0 < sent < 1_000_000
    journal.close()


def test_a_journald_that_was_started_anew_is_found(folder: Path) -> None:
    journal = Journal(str(folder))
    with pytest.raises(FileNotFoundError):
        journal.send([b"MESSAGE=nobody\n"])
    first = FakeJournald(folder)
    journal.send([b"MESSAGE=first\n"])
    first.close()
    second = FakeJournald(folder)
    journal.send([b"MESSAGE=second\n"])
    assert second.read()["MESSAGE"] == b"second"
    second.close()
    journal.close()


# -- lines ----------------------------------------------------------------------------------------


def test_each_line_is_a_record_that_says_whose_it_is(bench: Bench, fake: FakeJournald) -> None:
    end = bench.pipe(stream(fake), pid=os.getpid(), name="stderr")
    os.write(end, b"one\n<3>two\n<06>\n\n<8>three\0\xff\n")
    entries = [fake.read() for _ in range(5)]
    assert [entry["MESSAGE"] for entry in entries] == [b"one", b"two", b"", b"", b"<8>three\0\xff"]
    assert [entry["PRIORITY"] for entry in entries] == [b"6", b"3", b"6", b"6", b"6"]
    assert entries[0].fields == {
        "PRIORITY": [b"6"],
        "SYSLOG_IDENTIFIER": [b"w"],
        "CIRCUS_WATCHER": [b"w"],
        "CIRCUS_WID": [b"%d" % os.getpid()],
        "CIRCUS_GENERATION": [b"1"],
        "CIRCUS_STREAM": [b"stderr"],
        "CIRCUS_PID": [b"%d" % os.getpid()],
        "MESSAGE": [b"one"],
    }
    os.close(end)


def test_options_say_who_and_how_urgent(bench: Bench, fake: FakeJournald) -> None:
    bench.feed(stream(fake, identifier="shop", priority="4"), b"one\n<1>two\n", os.getpid())
    entries = [fake.read(), fake.read()]
    assert [entry["SYSLOG_IDENTIFIER"] for entry in entries] == [b"shop", b"shop"]
    assert [entry["PRIORITY"] for entry in entries] == [b"4", b"1"]


@pytest.mark.parametrize(
    "options",
    [{"priority": "8"}, {"priority": "x"}, {"mode": "both"}, {"rate_limit": "-1"},
     {"rate_limit": "nan"}, {"identifier": "a\nb"}],
)  # fmt: skip
def test_options_that_make_no_sense_are_refused(options: dict[str, str]) -> None:
    with pytest.raises((CircusError, ValueError)):
        JournalStream(**options)


def test_the_last_line_needs_no_newline(bench: Bench, fake: FakeJournald) -> None:
    bench.feed(stream(fake), b"one\ntwo", os.getpid())
    first, last = fake.read(), fake.read()
    assert "CIRCUS_LINE_BREAK" not in first.fields
    assert (last["MESSAGE"], last["CIRCUS_LINE_BREAK"]) == (b"two", b"unfinished")


def test_a_long_line_is_several_records(bench: Bench, fake: FakeJournald) -> None:
    size = 7 * LINE_MAX
    threading.Thread(
        target=bench.feed, args=(stream(fake), b"<2>" + b"<4>" * size + b"\nnext\n", os.getpid())
    ).start()
    found, parts, entry = b"", 0, fake.read()
    while entry["MESSAGE"] != b"next":
        found += entry["MESSAGE"]
        parts += 1
        assert entry["PRIORITY"] == b"2"
        assert len(entry["MESSAGE"]) <= LINE_MAX
        entry = fake.read()
    assert found == b"<4>" * size
    assert parts >= 21


@needs_root
def test_a_record_is_from_its_worker(bench: Bench, fake: FakeJournald) -> None:
    worker = bench.run(
        "import os; os.setgroups([]); os.setgid(65534); os.setuid(65533)\n"
        "print('hello', flush=True); input()",
        sink=stream(fake),
    )
    entry = fake.read()
    assert entry["MESSAGE"] == b"hello"
    assert (entry.pid, entry.uid, entry.gid) == (worker.pid, 65533, 65534)


def test_a_worker_that_is_gone_is_told_about(bench: Bench, fake: FakeJournald) -> None:
    gone = subprocess.Popen([sys.executable, "-S", "-c", ""])
    gone.wait()
    bench.feed(stream(fake), b"last words\n", gone.pid)
    entry = fake.read()
    assert entry.pid == os.getpid()
    assert entry["OBJECT_PID"] == entry["CIRCUS_PID"] == b"%d" % gone.pid


# -- more than is taken ---------------------------------------------------------------------------


def test_a_slow_journald_slows_workers_and_loses_nothing(bench: Bench, fake: FakeJournald) -> None:
    count = 20_000
    bench.run(f"for n in range({count}): print(n, 'line')", sink=stream(fake))
    found = [fake.read()["MESSAGE"] for _ in range(count)]
    assert found == [b"%d line" % n for n in range(count)]
    assert counts(bench)[1:] == (0, 0)


def test_a_stopped_journald_stops_nobody_and_every_line_is_there_or_counted(
    bench: Bench, fake: FakeJournald
) -> None:
    line = b"x" * 999
    count = 3 * KEPT_BYTES // 1000
    worker = bench.run(
        f"import sys\nfor n in range({count}): sys.stdout.write('{line.decode()}\\n')",
        sink=stream(fake),
    )
    worker.wait(60)  # nobody reads yet
    wait_until(lambda: counts(bench)[0] == count * 1000)
    _, dropped, lines = counts(bench)
    assert dropped == lines * 1000
    found = [fake.read()["MESSAGE"] for _ in range(count - lines)]
    assert found == [line] * len(found)
    assert len(found) * 1000 > KEPT_BYTES * 0.9
    assert fake.read_all() == []
    wait_until(lambda: len(bench.told) == 2)
    assert "journald does not take it" in bench.told[0]
    assert bench.told[1] == (
        f"{lines} lines of w dropped from stdout (journald does not take it); it is written again"
    )


def test_many_short_lives_take_no_memory_while_journald_is_stopped(
    bench: Bench, fake: FakeJournald
) -> None:
    sink = stream(fake)
    bench.feed(sink, b"line\n" * 1000)
    wait_until(lambda: any(place.overflows for place in bench.pump._doors))
    for _ in range(1000):
        bench.feed(sink, b"line\n")
    wait_until(lambda: counts(bench)[0] == 2000 * 5)
    most = KEPT_BYTES // SHARE_BYTES
    wait_until(lambda: len(bench.pump._pipes) <= most)
    _, dropped, lines = counts(bench)
    assert dropped == 5 * lines
    found = [fake.read() for _ in range(2000 - lines)]
    assert [entry["MESSAGE"] for entry in found] == [b"line"] * len(found)
    assert len(found) >= most


def test_a_journald_that_is_not_there_is_told(bench: Bench, folder: Path) -> None:
    sink = JournalStream(folder=str(folder))
    end = bench.pipe(sink)
    os.write(end, b"one\ntwo\n")
    wait_until(lambda: bench.told)
    assert counts(bench) == (8, 8, 2)
    assert "cannot reach journald: No such file" in bench.told[0]
    journald = FakeJournald(folder)
    os.write(end, b"three\n")
    assert journald.read()["MESSAGE"] == b"three"
    os.close(end)
    journald.close()


def test_a_rate_limit_counts_what_it_drops(bench: Bench, fake: FakeJournald) -> None:
    count = 2000
    bench.feed(stream(fake, rate_limit="0.001"), b"line\n" * count)
    wait_until(lambda: counts(bench) == (5 * count, 5 * count - 5, count - 1))
    assert len(fake.read_all()) == 1
    assert "more than 0.001 lines a second" in bench.told[0]


# -- the real one ---------------------------------------------------------------------------------


@needs_journald
def test_journald_files_a_line_under_its_worker(bench: Bench, journald: RealJournald) -> None:
    worker = bench.run(
        "import os; os.setuid(65533); print('<4>hé', flush=True); input()",
        sink=stream(journald),
    )
    (entry,) = journald.wait_entries(1, f"_PID={worker.pid}")
    assert (entry["MESSAGE"], entry["PRIORITY"], entry["_UID"]) == ("hé", "4", "65533")
    assert (entry["SYSLOG_IDENTIFIER"], entry["CIRCUS_STREAM"]) == ("w", "stdout")
    assert entry["_COMM"].startswith("python")
    assert journald.entries("CIRCUS_WATCHER=w") == journald.entries("-t", "w") == [entry]


@needs_journald
def test_lines_of_many_workers_outlast_a_journald_that_is_stopped(
    bench: Bench, journald: RealJournald
) -> None:
    journald.pause()
    count = 4000
    workers = [
        bench.run(f"for n in range({count}): print(n, 'x' * 90)", sink=stream(journald))
        for _ in range(3)
    ]
    for worker in workers:
        worker.wait(60)  # it is still stopped
    journald.go_on()
    entries = journald.wait_entries(3 * count, "CIRCUS_WATCHER=w")
    for worker in workers:
        mine = [entry for entry in entries if entry["CIRCUS_PID"] == str(worker.pid)]
        assert [int(entry["MESSAGE"].split()[0]) for entry in mine] == [*range(count)]
    assert counts(bench)[1:] == (0, 0)


@needs_journald
def test_a_direct_stream_needs_no_pump(journald: RealJournald) -> None:
    fd = stream(journald, mode="direct").open_direct("w")
    program = "print('one'); print('<3>two', end='')"
    with subprocess.Popen([sys.executable, "-S", "-c", program], stdout=fd) as worker:
        os.close(fd)
    entries = journald.wait_entries(2, "-t", "w")
    assert [entry["MESSAGE"] for entry in entries] == ["one", "two"]
    assert [entry["PRIORITY"] for entry in entries] == ["6", "3"]
    assert {entry["_PID"] for entry in entries} == {str(worker.pid)}


def test_by_hand_a_record_is_nobodys(fake: FakeJournald) -> None:
    sink = stream(fake)
    sink({"pid": os.getpid(), "name": "stdout", "data": "text\n", "timestamp": 0})
    assert fake.read()["SYSLOG_IDENTIFIER"] == b"circus"
    assert sink.bound(Source("a", 1, 1, "stdout")).place == sink.place
