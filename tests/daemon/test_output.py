"""Output of real workers through a real circusd into files."""

from __future__ import annotations

import os
import random
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.journald import FakeJournald
from tests.support import child, text_of, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start
    from tests.support import Daemon

TO_FILE = "stdout_stream.class = FileStream\nstdout_stream.filename = FOLDER/{name}.log\n"


def open_logs(daemon: Daemon) -> list[str]:
    """The output files that circusd has open."""
    found = []
    folder = Path(f"/proc/{daemon.process.pid}/fd")
    for fd in folder.iterdir():
        try:
            path = os.readlink(fd)
        except FileNotFoundError:  # closed meanwhile
            continue
        if path.startswith(f"{daemon.folder}/out"):
            found.append(path)
    return found


def test_t21_stop_and_start_keep_every_line_and_no_handle(circusd: Start) -> None:
    names = [f"out{n}" for n in range(20)]
    # without a child, which might miss a signal between its fork and its program
    cmd = "trap 'echo end; exit 0' TERM; echo begin; exec 3<>FOLDER/fifo; read line <&3"
    daemon = circusd(
        "".join(
            f"[watcher:{name}]\ncmd = {cmd}\nshell = True\ncopy_env = True\nautostart = False\n"
            + TO_FILE.format(name=name)
            for name in names
        )
    )
    os.mkfifo(daemon.folder / "fifo")
    logs = [daemon.folder / f"{name}.log" for name in names]

    def told(what: str, times: int) -> bool:
        return all(text_of(log).count(what) == times for log in logs)

    for times in range(1, 9):
        daemon.call("start", name="out*")
        wait_until(partial(told, "begin", times))
        assert daemon.call("stop", name="out*", waiting=True)["status"] == "ok"
        wait_until(partial(told, "end", times))
        wait_until(lambda: open_logs(daemon) == [])
    assert all(log.read_text() == "begin\nend\n" * 8 for log in logs)


def test_t21_a_program_that_does_not_start_keeps_no_handle(circusd: Start) -> None:
    daemon = circusd(
        "[watcher:out]\ncmd = /nowhere/program\nmax_retry = -1\nbackoff_delay = 0.01\n"
        "backoff_max = 0.01\nautostart = False\n" + TO_FILE.format(name="out")
    )
    before = len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
    daemon.call("start", name="out")
    wait_until(lambda: daemon.slots("out.1")[0]["failures"] > 20)
    assert daemon.call("stop", name="out", waiting=True)["status"] == "ok"
    assert len(os.listdir(f"/proc/{daemon.process.pid}/fd")) <= before
    assert open_logs(daemon) == []


def has_more(log: Path, than: str) -> bool:
    return len(text_of(log)) > len(than)


def test_t20_short_lives_with_stop_start_and_rotation_stay_right(circusd: Start) -> None:
    names = [f"out{n}" for n in range(50)]
    daemon = circusd(
        "".join(
            f"[watcher:{name}]\ncmd = sh -c 'echo $$; exit 0'\nmax_retry = -1\n"
            "backoff_delay = 0.02\nbackoff_max = 0.1\n" + TO_FILE.format(name=name)
            for name in names
        )
    )
    chance = random.Random(20)
    for number in range(200):
        verb = chance.choice(["start", "stop", "restart", "rotate"])
        if verb == "rotate":
            log = daemon.folder / f"{chance.choice(names)}.log"
            if log.exists():
                log.rename(log.with_suffix(f".{number}"))
            daemon.process.send_signal(signal.SIGUSR1)
        else:
            assert daemon.call(verb, name=chance.choice(names))["status"] == "ok"
    daemon.call("start", name="out*")
    for name in names:  # each still runs and is heard
        log = daemon.folder / f"{name}.log"
        wait_until(partial(has_more, log, text_of(log)))
    assert daemon.call("stop", name="out*", waiting=True)["status"] == "ok"
    wait_until(lambda: open_logs(daemon) == [])
    started = daemon.text().count("started, pid")

    def lines() -> int:
        files = [*daemon.folder.glob("out*.log"), *daemon.folder.glob("out*.[0-9]*")]
        return sum(file.read_text().count("\n") for file in files)

    # one that was stopped before it came to say anything is not missing a line
    assert started - 50 * 5 <= lines() <= started


def test_t28_programs_that_say_nothing_hold_up_no_end(circusd: Start) -> None:
    daemon = circusd(
        "[watcher:out]\ncmd = sleep 3600\nnumprocesses = 5\n"
        + TO_FILE.format(name="out")
        + "stderr_stream.class = FileStream\nstderr_stream.filename = FOLDER/out.err\n"
    )
    daemon.wait_pids("out", 5)
    assert daemon.call("quit", waiting=True)["status"] == "ok"
    assert daemon.process.wait(timeout=10) == 0


def test_t22_what_the_last_ones_say_at_the_end_arrives(circusd: Start) -> None:
    daemon = circusd(
        f"[watcher:out]\ncmd = {child('last_words', 1 << 20)}\nnumprocesses = 4\n"
        + TO_FILE.format(name="out")
    )
    log = daemon.folder / "out.log"
    wait_until(lambda: text_of(log).count("ready") == 4)
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(timeout=30) == 0
    assert log.read_text().count("x") == 4 << 20


def test_what_is_dropped_is_shown_and_its_begin_and_end_are_events(circusd: Start) -> None:
    daemon = circusd(
        "[watcher:w]\ncmd = exec 3<>FOLDER/fifo; while read -r line <&3; do echo $line; done\n"
        "shell = True\nautostart = False\n"
        "stdout_stream.class = JournalStream\nstdout_stream.folder = FOLDER\n"
    )
    fifo = daemon.folder / "fifo"
    os.mkfifo(fifo)
    assert daemon.call("start", name="w", waiting=True)["status"] == "ok"

    def stats() -> dict[str, Any]:
        found: dict[str, Any] = daemon.call("stats", name="w")["output"]
        return found

    def told() -> list[dict[str, Any]]:
        found = daemon.call("events", since=0, topics=["watcher.w.output"])["events"]
        return [{"topic": one["topic"], **one["message"]} for one in found]

    fifo.write_text("one\ntwo\nthree\n")  # there is no journald
    wait_until(lambda: stats().get("stdout", {}).get("read") == 14)
    why = "cannot reach journald: No such file or directory"
    lost = {"read": 14, "written": 0, "dropped": {why: {"lines": 3, "bytes": 14}}}
    wait_until(lambda: stats() == {"stdout": lost})
    journald = FakeJournald(daemon.folder)
    fifo.write_text("four\n")
    entry = journald.read()
    assert (entry["MESSAGE"], entry["CIRCUS_GENERATION"]) == (b"four", b"1")
    begin, end = wait_until(lambda: found if len(found := told()) > 1 else None)
    assert (begin["topic"], end["topic"]) == (
        "watcher.w.output_dropped",
        "watcher.w.output_written",
    )
    assert (begin["stream"], begin["reason"]) == ("stdout", why)
    assert (end["lines_dropped"], end["bytes_dropped"]) == (3, 14)
    assert stats() == {"stdout": {**lost, "read": 19, "written": 5}}
    assert f"3 lines of w dropped from stdout ({why}); it is written again" in daemon.text()
    shown = daemon.ctl("stats", "w").stdout
    assert f"stdout: 19 bytes read, 5 written, 14 (3 lines) dropped: {why}\n" in shown
    daemon.call("restart", name="w", waiting=True)
    fifo.write_text("five\n")
    assert journald.read()["CIRCUS_GENERATION"] == b"2"
    journald.close()
