"""circusctl against a real daemon: what it prints and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from circus.circusctl import main
from circus.commands import shell_commands
from tests.support import Daemon, asleep, circusctl, is_connected, read_until, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.daemon.conftest import Start

CONFIG = """
[watcher:Web]
cmd = sleep 3600
numprocesses = 2
graceful_timeout = 2
[watcher:off]
cmd = sleep 3600
autostart = False
[watcher:single]
cmd = sleep 3600
singleton = True
[watcher:talk]
cmd = sh -c "echo one; echo two; exec sleep 3600"
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/talk.log
"""


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    """One for all who leave it as they found it."""
    started = Daemon(CONFIG).wait()
    wait_until(lambda: started.call("status", name="web")["status"] == "active")
    wait_until(lambda: started.file("talk.log") == "one\ntwo\n")
    yield started
    started.stop()


# T54: every verb, what may go wrong with it, what is said and how circusctl then ends.
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "exit-statuses.md"
ROW = re.compile(r"^\| `([^`]*)` \| (\d) \| (?:`([^`]*)`)? ?\|$", re.MULTILINE)
STATUSES = [
    (line, int(status), said) for line, status, said in ROW.findall(PAGE.read_text("utf-8"))
]


@pytest.mark.parametrize(("line", "status", "said"), STATUSES, ids=[row[0] for row in STATUSES])
def test_t54_every_verb_and_failure_has_its_exit_status(
    daemon: Daemon, line: str, status: int, said: str
) -> None:
    ended = daemon.ctl(*line.split())
    assert ended.returncode == status, ended
    if status == 2:
        assert ended.stderr.startswith("usage: circusctl")
        assert f"error: {said}\n" in ended.stderr
    else:
        told = f"error: {said}\n" if status == 3 else f"{said}\n"
        assert ended.stderr == (told if said else "")
    assert not (ended.stdout and said)


def test_t54_every_verb_is_in_that_table() -> None:
    lines = [line for line, _, _ in STATUSES]
    assert len(lines) > 100
    for command in shell_commands():
        assert any(line.split()[0] == command.verb for line in lines)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (line, status)
        for line, status, _ in STATUSES
        if line.split()[0] not in ("--help", "--version")
    ],
)
def test_json_is_all_there_is_on_standard_output(
    daemon: Daemon, capsys: pytest.CaptureFixture[str], line: str, status: int
) -> None:
    """Run in this process: to start another takes longer than all that it would do there."""
    assert main(["--endpoint", daemon.endpoint, "--json", *line.split()]) == status
    out, err = capsys.readouterr()
    refused = (status == 3 and line != "is-active web off") or line == "rollback"
    if status == 0 or refused or line == "is-active web off":
        assert err == ""
        answer = json.loads(out)
        assert out.count("\n") == 1
        assert ("reason" in answer) == refused
    else:
        assert out == ""


def test_add_and_rm(circusd: Start) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\n")
    assert daemon.ctl("add", "--start", "--waiting", "new", "sleep", "3600").returncode == 0
    assert daemon.ctl("status", "new").stdout == "active\n"
    assert daemon.ctl("add", "NEW", "sleep", "1").stderr == "error: 'NEW' already exist\n"
    ended = daemon.ctl("add", "--start", "--waiting", "bad", "/nowhere/program")
    assert ended.returncode == 3
    assert "/nowhere/program" in ended.stderr
    assert daemon.ctl("rm", "new", "--waiting").returncode == 0
    assert daemon.call("list")["watchers"] == ["bad", "w"]


def test_it_can_be_pretty(daemon: Daemon) -> None:
    text = daemon.ctl("list", "--json", "--prettify").stdout
    assert text.startswith('{\n  "id": ')
    assert json.loads(text)["watchers"] == ["off", "single", "talk", "web"]
    assert daemon.ctl("logs", "talk", "--json", "--prettify").stdout.startswith('{\n  "files": [')
    assert daemon.ctl("logs", "nope", "--json", "--prettify").stdout.startswith("{\n  ")


def test_texts(daemon: Daemon) -> None:
    assert daemon.ctl("list").stdout == "off,single,talk,web\n"
    assert daemon.ctl("status", "web").stdout == "active\n"
    assert "Web: active\n" in daemon.ctl("status").stdout
    assert daemon.ctl("status", "nope").stderr == "error: program nope not found\n"
    assert daemon.ctl("incr", "single").stdout.startswith("This watcher is a Singleton")
    assert daemon.ctl("get", "web", "numprocesses", "uid").stdout == "numprocesses: 2\nuid: \n"
    assert daemon.ctl("logs", "talk", "-n1").stdout == "two\n"
    assert daemon.ctl("why", "single.1").stdout.startswith("single.1  running since ")
    assert (
        daemon.ctl("wait", "web", "off", "--for", "settled").stdout == "Web: active\noff: stopped\n"
    )


@pytest.mark.parametrize(
    ("verb", "piped", "shown"),
    [
        ("status", "", "no watchers\n"),
        ("why", "", "no watchers\n"),
        ("stats", "", "no watchers\n"),
        ("listsockets", "", "no sockets\n"),
        ("list", "\n", "\n"),  # one line, also of no names, as circus 0.19 has it
    ],
)
def test_where_there_is_nothing_no_line_is_printed(
    circusd: Start, verb: str, piped: str, shown: str
) -> None:
    daemon = circusd("[circus]\n")
    assert daemon.ctl(verb).stdout == piped
    assert daemon.ctl("--color", "always", verb).stdout == shown  # as for a terminal
    assert json.loads(daemon.ctl("--json", verb).stdout)["status"] == "ok"


def test_a_daemon_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    ended = circusctl("--endpoint", f"ipc://{tmp_path}/nothing", "status", timeout=30)
    assert ended.returncode == 1
    assert ended.stderr == f"No circusd listens at ipc://{tmp_path}/nothing; is it running?\n"
    assert time.monotonic() - began < 4


def test_a_daemon_that_died_is_told_from_a_busy_one(circusd: Start) -> None:
    daemon = circusd(CONFIG)
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        ended = daemon.ctl("--timeout", "0.3", "status")
        assert ended.returncode == 1
        assert ended.stderr.startswith(
            "Timed out.\nA time out usually happens in one of those cases:"
        )
    finally:
        daemon.process.send_signal(signal.SIGCONT)
    for pid in [pid for name in ("web", "single", "talk") for pid in daemon.pids(name)]:
        daemon.call("signal", name="web", pid=pid, signum=9)
    daemon.call("quit", waiting=True)
    daemon.process.wait(timeout=30)
    assert "No circusd listens" in daemon.ctl("status").stderr


def test_the_endpoint_is_found(circusd: Start) -> None:
    daemon = circusd("[watcher:mine]\ncmd = sleep 3600\n")
    for environ in (
        {"RUNTIME_DIRECTORY": str(daemon.folder)},
        {"CIRCUSCTL_ENDPOINT": daemon.endpoint},
    ):
        assert circusctl("list", environ=environ).stdout == "mine\n"
    ended = circusctl("list", environ={"CIRCUSCTL_ENDPOINT": "ipc:///tmp/nowhere"})
    assert "No circusd listens at ipc:///tmp/nowhere" in ended.stderr


def test_t14_names_of_every_kind(circusd: Start) -> None:
    names = ["UPPER", "with-dash", "with.dot", "web.1", "ünï", "with blank"]
    text = "".join(f"[watcher:{name}]\ncmd = sleep 3600\n" for name in names)
    daemon = circusd(text)
    wait_until(lambda: set(daemon.statuses().values()) == {"active"})
    for name in names:
        for line in (
            ["status"], ["list"], ["why"], ["options"], ["stats"], ["numprocesses"],
            ["incr", "--waiting"], ["decr", "--waiting"], ["signal", "CONT"],
            ["reload", "--waiting"], ["restart", "--waiting"], ["stop", "--waiting"],
            ["start", "--waiting"], ["is-active"], ["kill", "--waiting"],
        ):  # fmt: skip
            verb, *rest = line
            words = [verb, name.swapcase(), *rest]
            ended = daemon.ctl(*words)
            assert ended.returncode == 0, ended
        assert daemon.ctl("set", name, "numprocesses", "2", "--waiting").returncode == 0
        assert daemon.ctl("get", name, "numprocesses").stdout == "numprocesses: 2\n"
    assert daemon.statuses() == dict.fromkeys(names, "active")
    assert daemon.call("add", name="upper", cmd="sleep 1")["errno"] == 5
    for name in names:
        assert daemon.ctl("rm", name, "--waiting").returncode == 0
    assert daemon.call("list")["watchers"] == []


def test_t43_values_with_equals_and_comma_reach_the_worker(circusd: Start) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\n[env:w]\nKEPT = 1\n")
    daemon.wait_pids("w", 1)
    value = "a=1,b=2,C=3 \"quoted\" 'x' $HOME %s"
    assert daemon.ctl("set", "w", "env.OPTS", value, "--waiting").returncode == 0
    environ = environment(daemon.pids("w")[0])
    assert (environ["OPTS"], environ["KEPT"]) == (value, "1")
    as_json = json.dumps({"A": "x=1,y=2", "B": ""})
    assert daemon.ctl("set", "w", "env", as_json, "--waiting").returncode == 0
    environ = environment(daemon.pids("w")[0])
    assert (environ["A"], environ["B"]) == ("x=1,y=2", "")
    assert "OPTS" not in environ


def test_listen_prints_what_happens(circusd: Start) -> None:
    daemon = circusd(
        "[watcher:w]\ncmd = sleep 3600\nmax_retry = -1\nbackoff_delay = 0.05\nbackoff_max = 0.05\n"
    )
    for endpoint in (daemon.endpoint, f"ipc://{daemon.folder}/pubsub"):
        with Program("--endpoint", endpoint, "listen", "watcher.w.spawn") as listening:
            topic, _, message = first_line(listening, daemon).partition(": ")
            assert topic == "watcher.w.spawn"
            assert json.loads(message)["process_pid"] > 1
    with Program(
        "--json", "listen", environ={"RUNTIME_DIRECTORY": str(daemon.folder)}
    ) as listening:
        assert set(json.loads(first_line(listening, daemon))) == {"topic", "message"}
    assert listening.process.returncode == 1  # interrupted
    ended = circusctl("--endpoint", "ipc:///tmp/nowhere", "listen", timeout=30)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "No circusd listens at ipc:///tmp/nowhere; is it running?\n"


def test_logs_goes_on_and_ends_with_its_reader(daemon: Daemon) -> None:
    with Program("--endpoint", daemon.endpoint, "logs", "talk", "-f", "-n", "1") as following:
        wait_until(lambda: following.lines == ["two"])
        with (daemon.folder / "talk.log").open("a") as file:
            file.write("three\n")
        wait_until(lambda: following.lines == ["two", "three"])
    code = (
        f"{sys.executable} -m circus.circusctl --endpoint {daemon.endpoint} logs talk -f | head -1"
    )
    ended = subprocess.run(
        code, shell=True, capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.stderr == ""


def test_a_session(daemon: Daemon, tmp_path: Path) -> None:
    lines = ["help", "status web", "foo", "incr web --bad", "help incr", "help foo"]
    lines += ["'", "", "list", "EOF"]
    ended = session(daemon, lines, tmp_path)
    out = ended.stdout.splitlines()
    assert out[0].startswith("circusctl ")
    assert "Web: active" in out[1:5]
    assert "(circusctl) active" in out
    assert "(circusctl) *** Unknown syntax: foo" in out
    assert "(circusctl) Increment the number of processes in a watcher\n" in ended.stdout
    assert "(circusctl) *** No help on foo" in out
    assert "(circusctl) off,single,talk,web\n" in ended.stdout
    assert "unrecognized arguments: --bad" in ended.stderr
    assert "No closing quotation" in ended.stderr
    assert ended.returncode == 0


def test_help_is_the_fourth_line_of_a_session(circusd: Start, tmp_path: Path) -> None:
    daemon = circusd("[watcher:only]\ncmd = sleep 3600\n")
    ended = session(daemon, ["help"], tmp_path)
    assert ended.stdout.splitlines()[3] == "Documented commands (type help <topic>):"


def test_quit_in_a_session_ends_the_daemon(circusd: Start, tmp_path: Path) -> None:
    daemon = circusd("[watcher:only]\ncmd = sleep 3600\n")
    assert session(daemon, ["quit --waiting"], tmp_path).stdout.splitlines()[-2].endswith("ok")
    assert daemon.process.wait(timeout=30) == 0


def test_a_person_has_completion_and_history(daemon: Daemon, tmp_path: Path) -> None:
    terminal, other = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "circus.circusctl", "--endpoint", daemon.endpoint],
        stdin=other,
        stdout=other,
        stderr=other,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path), "TERM": "dumb"},
    )
    os.close(other)
    try:
        for typed, shown in (
            ("", "(circusctl) "),
            ("numw\t\n", "numwatchers\r\n4\r\n(circusctl) "),
            ("status si\t\n", "status single\r\nactive\r\n(circusctl) "),
            ("wait off\n", "wait off\r\n"),
        ):
            os.write(terminal, typed.encode())
            read_until(terminal, shown)
        # a command that waits is given up, then the session itself
        wait_until(lambda: is_connected(process.pid))
        process.send_signal(signal.SIGINT)
        read_until(terminal, "(circusctl) ")
        # Python misses a signal just before it waits for a key, until one is pressed
        wait_until(lambda: asleep(process.pid))
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 1
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    history = (tmp_path / "circus" / "history").read_text()
    assert history == "numwatchers\nstatus single\nwait off\n"


def test_completion_for_bash() -> None:
    environ = {"AUTO_COMPLETE": "1", "COMP_WORDS": "circusctl st", "COMP_CWORD": "1"}
    ended = circusctl(environ=environ)
    assert (ended.stdout, ended.returncode) == ("start stats status stop\n", 1)


# -- helpers ------------------------------------------------------------------------------------


def session(daemon: Daemon, lines: list[str], home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "circus.circusctl", "--endpoint", daemon.endpoint],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "XDG_STATE_HOME": str(home)},
    )


def first_line(listening: Program, daemon: Daemon) -> str:
    """What it prints when workers come and go."""
    wait_until(lambda: daemon.call("signal", name="w", signum="KILL") and listening.lines)
    return listening.lines[0]


def environment(pid: int) -> dict[str, str]:
    raw = Path(f"/proc/{pid}/environ").read_bytes().rstrip(b"\0").split(b"\0")
    return dict(item.decode().partition("=")[::2] for item in raw)


class Program:
    """A circusctl that goes on, and the lines that it has printed."""

    def __init__(self, *arguments: str, environ: dict[str, str] | None = None) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "circus.circusctl", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environ or {})},
        )
        self._reader = threading.Thread(target=self._read)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def __enter__(self) -> Program:
        self._reader.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)
        self._reader.join(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
