"""Output of real workers through a real circusd into files."""

from __future__ import annotations

import filecmp
import os
import random
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

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

    for times in range(1, 51):  # of 20 each: a thousand
        daemon.call("start", name="out*")
        wait_until(partial(told, "begin", times))
        assert daemon.call("stop", name="out*", waiting=True)["status"] == "ok"
        wait_until(partial(told, "end", times))
        wait_until(lambda: open_logs(daemon) == [])
    assert all(log.read_text() == "begin\nend\n" * 50 for log in logs)


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


def settle(daemon: Daemon, runs: dict[str, bool], lasting: set[str]) -> None:
    """Return once whoever is to run does, or is heard once more, and nobody else has a worker."""
    before = {name: daemon.file(f"{name}.log") for name in runs}

    def is_right(name: str) -> bool:
        if runs[name] and name not in lasting:
            return len(daemon.file(f"{name}.log")) > len(before[name])
        return len(daemon.pids(name)) == runs[name]

    for name in runs:
        wait_until(partial(is_right, name))


def disturb(daemon: Daemon, name: str, chance: random.Random) -> bool | None:
    """Start, stop, restart it or move its file. Returns whether it is to run, if that is new."""
    verb = chance.choice(["start", "stop", "restart", "rotate"])
    if verb != "rotate":
        assert daemon.call(verb, name=name)["status"] == "ok"
        return verb != "stop"
    log = daemon.folder / f"{name}.log"
    if log.exists():
        log.rename(log.with_suffix(f".{chance.random()}"))
    daemon.process.send_signal(signal.SIGUSR1)
    return None


def test_t20_short_lives_with_stop_start_and_rotation_stay_right(circusd: Start) -> None:
    """Of a hundred watchers, whose workers end at once but for each fourth."""
    names = [f"out{n}" for n in range(100)]
    lasting = set(names[::4])
    daemon = circusd(
        "".join(
            f"[watcher:{name}]\ncmd = sh -c 'echo $$; exec {does}'\nmax_retry = -1\n"
            "backoff_delay = 0.1\nbackoff_max = 0.5\n" + TO_FILE.format(name=name)
            for name in names
            for does in ["sleep 3600" if name in lasting else "true"]
        )
    )
    chance, runs = random.Random(20), dict.fromkeys(names, True)
    for number in range(1, 401):
        name = chance.choice(names)
        now = disturb(daemon, name, chance)
        runs[name] = runs[name] if now is None else now
        assert len(daemon.pids(name)) <= 1
        if number % 100 == 0:
            settle(daemon, runs, lasting)
    daemon.call("start", name="out*")
    settle(daemon, dict.fromkeys(names, True), lasting)
    assert daemon.call("stop", name="out*", waiting=True)["status"] == "ok"
    wait_until(lambda: open_logs(daemon) == [])
    started = daemon.text().count("started, pid")
    lines = sum(text_of(file).count("\n") for file in daemon.folder.glob("out*.*"))
    # one that was stopped before it came to say anything is not missing a line
    assert started - 5 * len(names) <= lines <= started


def test_t24_random_bytes_for_long_pass_unchanged(circusd: Start) -> None:
    size = 64 << 20
    sends = f"head -c {size} /dev/urandom | tee FOLDER/sent{{fd}} >&{{fd}}"
    daemon = circusd(
        f"[watcher:out]\ncmd = {sends.format(fd=1)}; {sends.format(fd=2)}; exec sleep 3600\n"
        "shell = True\ncopy_env = True\n"
        + TO_FILE.format(name="out")
        + "stderr_stream.filename = FOLDER/out.err\nstderr_stream.time_format = NOW\n"
    )
    (pid,) = daemon.wait_pids("out", 1)
    stamp = f"NOW [{pid}] | ".encode()

    def is_written() -> bool:
        counts = daemon.call("stats", name="out")["output"].values()
        return [(one["read"], one["written"]) for one in counts] == [(size, size)] * 2

    wait_until(is_written, within=60)
    assert filecmp.cmp(daemon.folder / "out.log", daemon.folder / "sent1", shallow=False)
    stamped = (daemon.folder / "out.err").read_bytes()
    assert stamped.replace(stamp, b"") == (daemon.folder / "sent2").read_bytes()


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


def test_a_stream_that_cannot_be_made_changes_nothing_for_those_that_run(
    circusd: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of a program's own, which nobody can try before."""
    (tmp_path / "refusing.py").write_text(
        "class Refuses:\n    def __init__(self, **options):\n"
        "        raise OSError('the store is full')\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    daemon = circusd("[watcher:out]\ncmd = sleep 3600\n")
    pids = daemon.wait_pids("out", 1)
    stream = {"stdout_stream": {"class": "refusing.Refuses"}}
    daemon.call("set", name="out", options=stream)
    # those that run, or the one that is to take their place: whoever needs the stream first
    kept = ("out: nothing changes for those that run: ", "; the old workers still run")
    wait_until(lambda: any(one in daemon.text() for one in kept))
    assert daemon.pids("out") == pids
