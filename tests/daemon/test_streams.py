"""Streams of a running circusd are changed, fail, and are looked after by logrotate."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import child, logrotate, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start
    from tests.support import Daemon

ROOT = Path(__file__).parents[2]
COUNTING = f"[watcher:w]\ncmd = {child('count', 200, 0.001)}\n"


def numbers(*files: Path) -> list[int]:
    """What was counted, in these files one after the other; what a worker said last is left out."""
    text = b"".join(file.read_bytes() for file in files if file.exists())
    return [int(line) for line in text.splitlines() if line != b"last"]


def more_in(file: Path) -> None:
    """Return when there is something, and then more."""
    wait_until(lambda: file.exists() and file.stat().st_size)
    before = file.stat().st_size
    wait_until(lambda: file.stat().st_size > before)


def end(daemon: Daemon) -> None:
    """Stop the watcher; all that it said has arrived."""
    assert daemon.call("stop", name="w", waiting=True)["status"] == "ok"
    wait_until(lambda: all(map(nothing_waits, output(daemon).values())))


def output(daemon: Daemon, name: str = "w") -> dict[str, Any]:
    """The counts of each stream."""
    found: dict[str, Any] = daemon.call("stats", name=name)["output"]
    return found


def nothing_waits(counts: dict[str, Any]) -> bool:
    dropped = sum(one["bytes"] for one in counts["dropped"].values())
    return bool(counts["read"] == counts["written"] + dropped)


@pytest.mark.parametrize("how", ["set", "file"])
def test_running_workers_are_led_to_another_stream(circusd: Start, how: str) -> None:
    text = f"{COUNTING}stdout_stream.filename = FOLDER/0\n"
    daemon = circusd(text)
    files = [daemon.folder / str(number) for number in range(6)]
    before = daemon.wait_pids("w", 1)
    more_in(files[0])
    for file in files[1:]:
        kind = "WatchedFileStream" if int(file.name) % 2 else "FileStream"
        options = {"stdout_stream.class": kind, "stdout_stream.filename": str(file)}
        if how == "set":
            answer = daemon.call("set", name="w", options=options, waiting=True)
        else:
            lines = "".join(f"{key} = {value}\n" for key, value in options.items())
            daemon.write(COUNTING + lines)
            answer = daemon.call("reloadconfig", waiting=True)
        assert answer["status"] == "ok"
        more_in(file)
    assert daemon.pids("w") == before
    end(daemon)
    found = numbers(*files)
    assert found == list(range(len(found)))
    assert daemon.call("options", name="w")["options"]["stdout_stream.filename"] == str(files[-1])
    daemon.call("start", name="w", waiting=True)
    wait_until(lambda: numbers(files[-1]).count(0))  # the next worker writes there too


def test_a_stream_that_cannot_be_is_refused_and_the_old_one_stays(circusd: Start) -> None:
    daemon = circusd(f"{COUNTING}stdout_stream.filename = FOLDER/out\n")
    before = daemon.wait_pids("w", 1)
    for option, value, words in (
        ("filename", "/nowhere/at/all", "cannot write to '/nowhere/at/all'"),
        ("class", "NoStream", "there is no stream class 'NoStream'"),
        ("class", "TimedRotatingFileStream", "rotate_when must be one of S, M, H, D, MIDNIGHT"),
        ("max_bytes", "many", "max_bytes must be a whole number"),
    ):
        told = daemon.ctl("set", "w", f"stdout_stream.{option}", value)
        assert told.returncode == 3
        assert words in told.stderr
        assert len(told.stderr.splitlines()) == 1
    more_in(daemon.folder / "out")
    assert daemon.pids("w") == before
    assert daemon.call("options", name="w")["options"]["stdout_stream.filename"].endswith("/out")


def test_workers_that_circusd_does_not_read_are_replaced(circusd: Start) -> None:
    daemon = circusd(COUNTING)
    before = daemon.wait_pids("w", 1)
    file = daemon.folder / "out"
    options = {"stderr_stream.filename": str(file)}
    daemon.call("set", name="w", options=options, waiting=True)
    more_in(file)
    after = daemon.wait_pids("w", 1)
    assert after != before
    assert numbers(file)[0] == 0
    assert os.path.samefile(f"/proc/{after[0]}/fd/1", daemon.log)


def test_a_check_tells_what_is_wrong_with_a_stream_and_makes_no_file(circusd: Start) -> None:
    daemon = circusd(f"{COUNTING}stdout_stream.filename = FOLDER/out\n")
    daemon.write(
        f"{COUNTING}stdout_stream.class = TimedRotatingFileStream\n"
        "stdout_stream.filename = FOLDER/new\nstdout_stream.rotate_when = sometimes\n"
    )
    told = daemon.ctl("reloadconfig", "--dry-run")
    assert "circus.ini:3: stdout_stream: rotate_when must be one of" in told.stderr
    daemon.write(f"{COUNTING}stdout_stream.filename = FOLDER/new\n")
    assert daemon.ctl("reloadconfig", "--dry-run").returncode == 0
    assert not (daemon.folder / "new").exists()


def test_the_stream_of_the_examples_does_what_it_says(circusd: Start) -> None:
    text = (ROOT / "examples" / "stream" / "circus.ini").read_text()
    daemon = circusd(
        text.replace("while sleep 1; do date; done", "echo one; echo '\"two\"' ; exec sleep 60")
        .replace("clock.json", "FOLDER/clock.json")
        .replace("stdout_stream.class = ", "autostart = False\nstdout_stream.class = ")
        + f"[env:clock]\nPYTHONPATH = {ROOT / 'examples' / 'stream'}\n"
    )
    file = daemon.folder / "clock.json"
    daemon.call("start", name="clock", waiting=True)
    wait_until(lambda: daemon.file("clock.json").count("\n") == 2)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["line"] for line in lines] == ["one", '"two"']
    assert all((line["service"], line["name"]) == ("clock", "stdout") for line in lines)
    assert [line["pid"] for line in lines] == daemon.pids("clock") * 2
    moved = file.rename(daemon.folder / "moved")
    daemon.process.send_signal(signal.SIGUSR1)
    daemon.call("restart", name="clock", waiting=True)
    wait_until(lambda: daemon.file("clock.json").count("\n") == 2)
    assert len(moved.read_text().splitlines()) == 2


BLOCKING = """
import os

class InConstructor:
    def __init__(self, filename, **options):
        with open(filename, "w"):  # until somebody reads
            pass

    def __call__(self, record):
        pass

class InCall:
    def __init__(self, filename, **options):
        self.filename = filename

    def __call__(self, record):
        with open(self.filename, "wb") as file:
            file.write(record["data"])

class InGreenlet(InCall):
    def __call__(self, record):
        import gevent
        while not os.path.exists(self.filename):
            gevent.sleep(0.01)
        super().__call__(record)
"""


@pytest.mark.parametrize(
    ("backend", "kind"),
    [("thread", "InConstructor"), ("thread", "InCall"), ("gevent", "InGreenlet")],
)
def test_a_stream_that_blocks_holds_up_neither_others_nor_control(
    circusd: Start, tmp_path: Path, backend: str, kind: str
) -> None:
    (tmp_path / "blocking.py").write_text(BLOCKING)
    fifo = tmp_path / "fifo"
    if kind != "InGreenlet":
        os.mkfifo(fifo)
    daemon = circusd(
        f"[circus]\nstream_backend = {backend}\n"
        f"[watcher:slow]\ncmd = {child('count', 200, 0)}\nautostart = False\n"
        f"stdout_stream.class = blocking.{kind}\nstdout_stream.filename = {fifo}\n"
        f"[env:slow]\nPYTHONPATH = {tmp_path}\n"
        f"{COUNTING}stdout_stream.filename = FOLDER/out\n"
    )
    daemon.call("start", name="slow")
    out = daemon.folder / "out"
    more_in(out)
    if kind != "InConstructor":
        wait_until(lambda: output(daemon, "slow").get("stdout", {}).get("read"))
    for _time in range(3):
        assert daemon.call("status")["status"] == "ok"
        more_in(out)
    assert daemon.call("restart", name="w", waiting=True)["status"] == "ok"
    if kind == "InGreenlet":
        os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDWR)
    wait_until(lambda: daemon.pids("slow"))
    if kind != "InConstructor":
        assert os.read(reader, 2) == b"0\n"
    daemon.call("stop", name="slow")
    os.set_blocking(reader, False)

    def taken() -> bool:
        with contextlib.suppress(BlockingIOError):
            os.read(reader, 1 << 20)
        return all(map(nothing_waits, output(daemon, "slow").values()))

    wait_until(taken)
    os.close(reader)


def test_t27_a_file_may_be_a_pipe_or_a_terminal_but_no_socket(circusd: Start) -> None:
    """Nothing of them can be sought, moved or cut, whatever options say."""
    terminal, end = os.openpty()
    daemon = circusd(
        "".join(
            f"[watcher:{name}]\ncmd = sh -c 'seq 20; exec sleep 3600'\nautostart = False\n"
            "stdout_stream.max_bytes = 9\nstdout_stream.backup_count = 2\n"
            f"stdout_stream.filename = {path}\n"
            for name, path in (("pipe", "FOLDER/fifo"), ("terminal", os.ttyname(end)))
        )
        + "[watcher:null]\ncmd = seq 20\nrespawn = False\nstdout_stream.filename = /dev/null\n"
    )
    os.mkfifo(daemon.folder / "fifo")
    pipe = os.open(daemon.folder / "fifo", os.O_RDWR)
    said = "".join(f"{number}\n" for number in range(1, 21)).encode()
    shown = said.replace(b"\n", b"\r\n")
    for name, fd, text in (("pipe", pipe, said), ("terminal", terminal, shown)):
        assert daemon.call("start", name=name, waiting=True)["status"] == "ok"
        got = b""
        while len(got) < len(text):
            got += os.read(fd, 1 << 10)
        assert got == text
        os.close(fd)
    os.close(end)
    wait_until(lambda: output(daemon, "null").get("stdout", {}).get("written") == len(said))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{daemon.folder}/socket")
        told = daemon.ctl("set", "null", "stdout_stream.filename", f"{daemon.folder}/socket")
    assert told.returncode == 3
    assert "/socket': No such device or address" in told.stderr
    for counts in daemon.call("stats")["outputs"].values():
        assert counts["stdout"]["dropped"] == {}


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("FileStream", "create\npostrotate\nkill -USR1 PID\nendscript"),
        ("WatchedFileStream", "nocreate"),
        ("FileStream", "copytruncate"),
    ],
)
def test_t25_logrotate_loses_no_line(circusd: Start, kind: str, form: str) -> None:
    daemon = circusd(
        f"{COUNTING}stdout_stream.class = {kind}\nstdout_stream.filename = FOLDER/out\n"
    )
    (worker,) = daemon.wait_pids("w", 1)
    out, how = daemon.folder / "out", form.replace("PID", str(daemon.process.pid))
    for number in range(1, 4):
        more_in(out)
        if form == "copytruncate":  # what comes between the copy and the cut is lost, as is known
            os.kill(worker, signal.SIGSTOP)
            wait_until(lambda: all(map(nothing_waits, output(daemon).values())))
        logrotate(daemon, out, how)
        os.kill(worker, signal.SIGCONT)
        assert (daemon.folder / f"out.{number}").exists()
    more_in(out)
    end(daemon)
    found = numbers(*(daemon.folder / f"out.{number}" for number in (3, 2, 1)), out)
    assert found == list(range(len(found)))
