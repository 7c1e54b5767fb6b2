"""circusd and its workers with a real journald."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.journald import InUnit, RealJournald, needs_journald
from tests.journald import journald as journald
from tests.support import text_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = needs_journald

WORDS = 'out(){ echo $1; echo "<3>$1 failed" >&2; }'
CONFIG = f"""
[watcher:Plain]
cmd = {WORDS}; out plain; exec sleep 3600
shell = True
[watcher:direct]
cmd = {WORDS}; out direct; exec sleep 3600
shell = True
stdout_stream.class = JournalStream
stdout_stream.mode = direct
stdout_stream.identifier = shop
stderr_stream.class = JournalStream
[watcher:both]
cmd = {WORDS}; mkfifo FOLDER/fifo; exec 3<>FOLDER/fifo; while read -r line <&3; do out $line; done
shell = True
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/both.log
[watcher:closed]
cmd = {WORDS}; out closed; exec sleep 3600
shell = True
close_child_stdout = True
close_child_stderr = True
[watcher:brief]
cmd = echo brief; kill -9 $$
shell = True
numprocesses = 5
max_retry = 3
backoff_delay = 0.01
"""


@pytest.fixture
def daemon(journald: RealJournald) -> Iterator[InUnit]:
    one = InUnit(journald, CONFIG)
    one.wait()
    yield one
    one.stop()


def one(journald: RealJournald, *matches: str) -> dict[str, Any]:
    """The only record that matches, once it is there."""
    return journald.wait_entries(1, *matches)[0]


def test_output_that_nobody_leads_elsewhere_is_filed_under_its_worker(
    daemon: InUnit, journald: RealJournald
) -> None:
    (pid,) = daemon.wait_pids("Plain", 1)
    out = one(journald, "CIRCUS_WATCHER=Plain", "CIRCUS_STREAM=stdout")
    err = one(journald, "CIRCUS_WATCHER=Plain", "CIRCUS_STREAM=stderr")
    assert (out["MESSAGE"], out["PRIORITY"]) == ("plain", "6")
    assert (err["MESSAGE"], err["PRIORITY"]) == ("plain failed", "3")
    for entry in (out, err):
        assert (entry["_PID"], entry["SYSLOG_IDENTIFIER"]) == (str(pid), "Plain")
        assert (entry["CIRCUS_WID"], entry["CIRCUS_PID"]) == ("1", str(pid))


def test_direct_output_does_not_pass_circusd(daemon: InUnit, journald: RealJournald) -> None:
    (pid,) = daemon.wait_pids("direct", 1)
    entry = one(journald, "-t", "shop")
    assert (entry["MESSAGE"], entry["_TRANSPORT"], entry["_PID"]) == ("direct", "stdout", str(pid))
    assert Path(f"/proc/{pid}/fd/1").readlink().name.startswith("socket:")
    assert "stdout" not in {found["CIRCUS_STREAM"] for found in
                            journald.entries("CIRCUS_WATCHER=direct", "_TRANSPORT=journal")
                            if "CIRCUS_STREAM" in found}  # fmt: skip


def test_closed_output_stays_closed(daemon: InUnit) -> None:
    (pid,) = daemon.wait_pids("closed", 1)
    assert str(Path(f"/proc/{pid}/fd/1").readlink()) == "/dev/null"


def test_the_log_has_fields(daemon: InUnit, journald: RealJournald) -> None:
    (pid,) = daemon.wait_pids("Plain", 1)
    about = ("SYSLOG_IDENTIFIER=circusd", "CIRCUS_WATCHER=Plain")
    entries = journald.wait_entries(2, *about)
    said = [entry["MESSAGE"] for entry in entries]
    assert said == [f"Plain.1 started, pid {pid}", "Plain started"]
    assert entries[0]["PRIORITY"] == "6"
    assert entries[0]["CODE_FUNC"] == "_spawned"
    assert entries[0]["_PID"] == str(daemon.process.pid)


def test_logs_shows_what_is_there(daemon: InUnit, journald: RealJournald) -> None:
    daemon.wait_pids("direct", 1)
    one(journald, "-t", "shop")
    journald.wait_entries(2, "_TRANSPORT=journal", "CIRCUS_STREAM=stderr")
    assert sorted(daemon.logs("plain").stdout.splitlines()) == ["plain", "plain failed"]
    assert sorted(daemon.logs("direct").stdout.splitlines()) == ["direct", "direct failed"]
    assert len(daemon.logs("plain", "-n", "1").stdout.splitlines()) == 1
    assert daemon.logs("plain", "--since", "tomorrow").stdout == ""
    assert len(daemon.logs("plain", "--since=-1h").stdout.splitlines()) == 2
    wrong = daemon.logs("plain", "--since", "whenever")
    assert wrong.returncode == 1
    assert "whenever" in wrong.stderr
    nothing = daemon.logs("closed")
    assert nothing.returncode == 1
    assert "the journal has nothing of it" in nothing.stderr


def test_logs_goes_on_until_its_reader_goes(daemon: InUnit, journald: RealJournald) -> None:
    journald.wait_entries(2, "CIRCUS_WATCHER=Plain", "_TRANSPORT=journal", "-t", "Plain")
    following = subprocess.Popen(
        [*journald.inside, sys.executable, "-m", "circus.circusctl", "--endpoint", daemon.endpoint,
         "logs", "plain", "-f", "-n", "1"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert following.stdout is not None
    assert following.stdout.readline().startswith("plain")  # it has found its place
    daemon.call("restart", name="plain", waiting=True)
    assert {following.stdout.readline(), following.stdout.readline()} == {
        "plain\n",
        "plain failed\n",
    }
    following.stdout.close()
    assert following.wait(20) == 0


def test_last_words_are_filed_under_who_said_them(daemon: InUnit, journald: RealJournald) -> None:
    entries = journald.wait_entries(15, "CIRCUS_WATCHER=brief", "CIRCUS_STREAM=stdout")
    assert {entry["MESSAGE"] for entry in entries} == {"brief"}
    assert [entry["_PID"] for entry in entries] == [entry["CIRCUS_PID"] for entry in entries]


def test_logs_shows_a_file_and_the_journal_in_order_of_time(
    daemon: InUnit, journald: RealJournald
) -> None:
    fifo, log = daemon.folder / "fifo", daemon.folder / "both.log"
    wait_until(fifo.exists)
    fifo.write_text("first\nlast\n")
    errors = journald.wait_entries(2, "CIRCUS_WATCHER=both", "CIRCUS_STREAM=stderr")
    wait_until(lambda: text_of(log) == "first\nlast\n")
    times = [int(entry["__REALTIME_TIMESTAMP"]) * 1000 for entry in errors]
    of_file = f"==> {log} <==\nfirst\nlast\n"
    of_journal = "==> journal <==\nfirst failed\nlast failed\n"
    for moment, shown in (
        (times[1] + 1_000_000, f"{of_journal}\n{of_file}"),
        (times[0] - 1_000_000, f"{of_file}\n{of_journal}"),
    ):
        os.utime(log, ns=(moment, moment))
        assert daemon.logs("both").stdout == shown
    since = daemon.logs("both", "--since=-1h")
    assert since.stdout == of_journal
    assert f"{log} has no times to look for" in since.stderr
    # which one that is differs between versions of journalctl
    assert daemon.logs("both", "--since=-1h", "-n", "1").stdout.count(" failed") == 1
    wrong = daemon.logs("both", "--since", "whenever")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "whenever" in wrong.stderr
    following = subprocess.Popen(
        [*journald.inside, sys.executable, "-m", "circus.circusctl", "--endpoint", daemon.endpoint,
         "logs", "both", "-f", "-n", "1"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert following.stdout is not None
    lines = [following.stdout.readline() for _ in range(5)]
    assert {"last\n", "last failed\n"} < set(lines)
    fifo.write_text("new\n")
    shown_now: set[str] = set()
    while not {"new\n", "new failed\n"} <= shown_now:
        shown_now.add(following.stdout.readline())
    following.stdout.close()
    assert following.wait(20) == 0
