"""What workers and circusd say is in the journal, found as one finds things there, and complete."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import wait_until
from tests.systemd.machine import ON_A_MACHINE

if TYPE_CHECKING:
    from tests.systemd.conftest import Unit

pytestmark = ON_A_MACHINE

WORKER = "[watcher:{name}]\nshell = True\ncmd = {cmd}\n"
FIFO = "/run/journal-test"
TOLD = f"exec 3<>{FIFO}; while read -r words <&3; do eval $words; done"
"""A worker that does what is written to the fifo."""


def worker(name: str, cmd: str, *options: str) -> str:
    return "\n".join([WORKER.format(name=name, cmd=cmd), *options, ""])


@pytest.fixture
def fifo(unit: Unit) -> str:
    unit.run(f"rm -f {FIFO}; mkfifo {FIFO}")
    return FIFO


def tell(unit: Unit, words: str) -> None:
    """Have the worker do that."""
    unit.run(f"cat >{FIFO}", given=f"{words}\n")


def output(unit: Unit, name: str) -> dict[str, Any]:
    """What `circusctl stats` says of its stdout."""
    found = json.loads(unit.says(f"circusctl --json stats {name}"))
    return dict(found["output"]["stdout"])


def dropped(unit: Unit, name: str) -> int:
    """Lines, as circusctl tells it."""
    return sum(loss["lines"] for loss in output(unit, name)["dropped"].values())


def numbers(unit: Unit, name: str) -> list[int]:
    """What the records of a worker begin with."""
    lines = unit.messages(f"CIRCUS_WATCHER={name}", "CIRCUS_STREAM=stdout", "-t", name)
    return [int(line.split()[0]) for line in lines]


def told_lost(unit: Unit, name: str) -> int:
    """How many lines the journal itself says are not in it."""
    records = unit.records(f"CIRCUS_WATCHER={name}", "CIRCUS_STREAM=stdout", "-t", "circusd")
    return sum(int(record["CIRCUS_DROPPED"]) for record in records)


def test_a_line_is_found_in_every_way(unit: Unit) -> None:
    unit.start(worker("web", "echo plain; echo '<3>bad' >&2; exec sleep 1000", "uid = nobody"))
    pid = unit.says("circusctl list web")
    plain, bad = unit.wait_records(2, "-t", "web")
    assert (plain["MESSAGE"], plain["PRIORITY"]) == ("plain", "6")
    assert (bad["MESSAGE"], bad["PRIORITY"]) == ("bad", "3")
    assert plain["_SYSTEMD_UNIT"] == "circus.service"
    assert (plain["_PID"], plain["_UID"]) == (pid, "65534")
    assert (plain["CIRCUS_WID"], plain["CIRCUS_GENERATION"]) == ("1", "1")
    for way in ("CIRCUS_WATCHER=web -t web", f"_PID={pid}", "CIRCUS_WID=1 CIRCUS_GENERATION=1"):
        assert unit.records(way) == [plain, bad]
    assert unit.records("-t", "web", "-p", "err") == [bad]
    assert unit.records("_UID=65534") == [plain, bad]


def test_whatever_a_line_has_it_arrives_as_it_was(unit: Unit) -> None:
    long = "head -c 204800 /dev/zero | tr '\\0' x; echo"
    unit.start(worker("odd", rf"printf 'a\001\377\n\nnext\n'; {long}; printf end", "respawn = off"))
    records = unit.wait_records(9, "-t", "odd")
    messages = [record["MESSAGE"] for record in records]
    assert bytes(messages[0]) == b"a\x01\xff"
    assert messages[1:3] == ["", "next"]
    assert "".join(messages[3:8]) == "x" * 204800
    breaks = [record.get("CIRCUS_LINE_BREAK") for record in records]
    assert breaks == [None] * 3 + ["line-max"] * 4 + [None, "unfinished"]
    assert messages[8] == "end"


def test_the_log_of_circusd_is_about_watchers(unit: Unit) -> None:
    unit.start(worker("web", "exec sleep 1000"))
    pid = unit.says("circusctl list web")
    records = unit.wait_records(2, "CIRCUS_WATCHER=web", "SYSLOG_IDENTIFIER=circusd")
    assert [record["MESSAGE"] for record in records] == [
        f"web.1 started, pid {pid}",
        "web started",
    ]
    assert {record["_PID"] for record in records} == {unit.show("MainPID")}
    assert {record["PRIORITY"] for record in records} == {"6"}


def test_last_words_of_those_who_end_at_once_are_their_own(unit: Unit) -> None:
    cmd = "printf 'last words of %s' $$; kill -9 $$"
    unit.start(worker("brief", cmd, "numprocesses = 100", "respawn = off"))
    records = unit.wait_records(100, "-t", "brief")
    assert [record["MESSAGE"] for record in records] == [
        f"last words of {record['_PID']}" for record in records
    ]


def test_a_limit_is_of_one_watcher_and_the_loud_silence_nobody(unit: Unit, fifo: str) -> None:
    del fifo
    limited = ("stdout_stream.class = JournalStream", "stdout_stream.rate_limit = 10")
    unit.start(
        worker("limited", "seq 1000; exec sleep 1000", *limited)
        + worker("loud", "seq 20000; exec sleep 1000")
        + worker("quiet", TOLD)
    )
    wait_until(lambda: len(unit.messages("-t", "loud")) == 20000, within=60)
    tell(unit, "echo still here")
    assert unit.wait_records(1, "-t", "quiet")[0]["MESSAGE"] == "still here"
    found = numbers(unit, "limited")
    assert found[:10] == [*range(1, 11)]
    assert len(found) + dropped(unit, "limited") == 1000
    unit.run("circusctl incr quiet")
    unit.wait_records(2, "CIRCUS_WATCHER=quiet", "-t", "circusd", "-g", "'^quiet.. started'")
    unit.run("systemctl stop circus")
    assert told_lost(unit, "limited") == 1000 - len(found)


def test_lines_that_journald_does_not_take_are_counted_to_the_last(unit: Unit, fifo: str) -> None:
    del fifo
    unit.start(worker("web", TOLD))
    count = 20000
    unit.run("systemctl kill -s STOP --kill-who=main systemd-journald")
    try:
        tell(unit, f"seq -f '%.0f {'x' * 300}' {count}; touch {FIFO}.done")
        wait_until(lambda: unit.run(f"test -e {FIFO}.done", check=False).returncode == 0)
        assert unit.says("circusctl status web") == "active"
        wait_until(lambda: dropped(unit, "web"))
    finally:
        unit.run("systemctl kill -s CONT --kill-who=main systemd-journald")
    lost = wait_until(lambda: told_lost(unit, "web"), within=60)
    assert lost == dropped(unit, "web")
    found = numbers(unit, "web")
    assert found == sorted(set(found))
    assert len(found) == count - lost
    stats = output(unit, "web")
    assert stats["read"] == stats["written"] + sum(
        loss["bytes"] for loss in stats["dropped"].values()
    )


def test_a_journald_that_is_started_anew_loses_nothing_uncounted(unit: Unit, fifo: str) -> None:
    del fifo
    unit.start(worker("web", TOLD))
    count = 20000
    tell(unit, f"seq {count}; echo 0")
    unit.run("systemctl restart systemd-journald")
    wait_until(lambda: 0 in numbers(unit, "web")[-1:], within=60)
    assert len(numbers(unit, "web")) - 1 + dropped(unit, "web") == count


def test_direct_output_costs_circusd_nothing(unit: Unit, fifo: str) -> None:
    del fifo
    direct = [f"{one}_stream.{option}" for one in ("stdout", "stderr")
              for option in ("class = JournalStream", "mode = direct")]  # fmt: skip
    unit.start(worker("free", TOLD, *direct))
    main, pid = unit.show("MainPID"), unit.says("circusctl list free")
    ends = unit.says(f"readlink /proc/{pid}/fd/1 /proc/{pid}/fd/2").split()
    assert all(end.startswith("socket:") for end in ends)
    assert not set(ends) & set(unit.says(f"readlink /proc/{main}/fd/*").split())

    def ticks() -> int:
        after_name = unit.says(f"cat /proc/{main}/stat").rpartition(")")[2].split()
        return int(after_name[11]) + int(after_name[12])

    before = ticks()
    tell(unit, "seq 20000; echo end")
    wait_until(lambda: unit.says("journalctl -q -t free -n 1 -o cat") == "end", within=60)
    assert ticks() - before <= 2  # its own clock; 20000 lines through it would be some 25
    assert len(unit.records("-t", "free", "_TRANSPORT=stdout", f"_PID={pid}")) == 1
    assert len(unit.messages("-t", "free", "_TRANSPORT=stdout")) == 20001


def test_logs_finds_lines_past_restarts(unit: Unit) -> None:
    unit.start(worker("web", "echo hello; exec sleep 1000"))
    unit.wait_records(1, "-t", "web")
    unit.run("circusctl restart web --waiting")
    unit.wait_records(2, "-t", "web")
    unit.run("systemctl restart circus")
    records = unit.wait_records(3, "-t", "web")
    assert [record["CIRCUS_GENERATION"] for record in records] == ["1", "2", "1"]
    since = int(records[0]["__REALTIME_TIMESTAMP"]) / 1e6
    assert unit.says(f"circusctl logs web -n 100 --since @{since:.6f}") == "hello\nhello\nhello"
    assert unit.says("circusctl logs web -n 2") == "hello\nhello"
