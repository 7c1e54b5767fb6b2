"""circus-top on a terminal, and without one."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support import Daemon, as_user, pid_tree, read_until, wait_until
from tests.tmux import Screen

if TYPE_CHECKING:
    from pathlib import Path

    from tests.daemon.conftest import Start

TOP = (sys.executable, "-m", "circus.top")
STATS = "[circus]\nstatsd = True\n"
WATCHERS = """
[watcher:web]
cmd = sh -c "sleep 3600 & exec sleep 3601"
numprocesses = 2
[watcher:broken]
cmd = false
max_retry = 0
[socket:http]
host = 127.0.0.1
port = 0
"""
DONE = "status 0"


def begin(daemon: Daemon, *options: str, before: str = "") -> tuple[str, ...]:
    """What a shell is to run: circus-top, then it says how that ended."""
    top = shlex.join([*TOP, "--control", daemon.endpoint, *options])
    return ("sh", "-c", f"{before} {top}; echo status $?")


def test_keys_do_what_they_say(circusd: Start) -> None:
    daemon = circusd(STATS + WATCHERS)
    one, two = daemon.wait_pids("web", 2)
    with Screen(*begin(daemon)) as screen:
        shown = screen.shows("web.1", "web.2", "circusd-stats.1", "http", "failed", "circusd 0.")
        assert all(str(pid) in shown for pid in (one, two))
        screen.type("/")
        screen.type("web.2", "Enter", "Enter")
        screen.shows(f"web.2, pid {two}, user ", "running since", "CPU ")
        screen.type("F4")
        screen.type("broken")
        wait_until(lambda: "web.1" not in screen.text())
        screen.shows("broken.1", "Filter: broken_", "exited with code 1")
        screen.type("Escape")
        screen.shows("web.1", "F1 Help")
        screen.type("?")
        screen.shows("sort by CPU, memory, age, pid", "send a signal")
        screen.type("x", "P")
        screen.shows("CPU%v")
        screen.type("q")
        screen.shows(DONE)
        assert "web.1" not in screen.text()


def test_it_acts_when_it_is_told_twice(circusd: Start) -> None:
    daemon = circusd(STATS + WATCHERS)
    before = daemon.wait_pids("web", 2)
    with Screen(*begin(daemon)) as screen:
        screen.shows("web.1")
        screen.type("/")
        screen.type("web", "Enter", "]")
        screen.shows("incr web? y or n")
        screen.type("y")
        screen.shows("incr web: ok", "web.3")
        screen.type("F9")
        screen.type("KILL", "Enter")
        screen.shows("signal KILL to web: ok")
        wait_until(lambda: not set(before) & set(daemon.wait_pids("web", 3)))
        screen.type("q")


def test_who_only_looks_can_change_nothing(circusd: Start) -> None:
    daemon = circusd(STATS + WATCHERS)
    with Screen(*begin(daemon, "--readonly")) as screen:
        assert "Signal" not in screen.shows("web.1", "F1 Help")
        screen.type("s", "y", "?")
        assert "signal" not in screen.shows("pause, or go on")
        screen.type("x", "q")
        screen.shows(DONE)
    assert daemon.call("status", name="web")["status"] == "active"


def test_it_follows_the_size_of_the_terminal(circusd: Start) -> None:
    daemon = circusd(STATS + WATCHERS)
    with Screen(*begin(daemon)) as screen:
        screen.shows("RES", "q End")
        screen.resize(30, 8)
        wait_until(lambda: "STATE" not in screen.text() and "NAME" in screen.text())
        assert max(map(len, screen.text().splitlines())) <= 30
        screen.resize(5, 2)
        screen.shows("too")
        screen.resize(120, 40)
        screen.shows("RES", "q End", "sleep")
        screen.type("q")
        screen.shows(DONE)


def test_circusd_goes_and_comes_back(circusd: Start) -> None:
    daemon = circusd(STATS + WATCHERS)
    with Screen(*begin(daemon)) as screen:
        screen.shows("web.1")
        left = pid_tree(daemon.process.pid)[1:]
        daemon.process.kill()
        daemon.process.wait()
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        screen.shows("circusd")
        screen.shows("OUT OF DATE", "No circusd listens")
        screen.type("/")
        screen.type("web", "Enter", "]", "y")
        # it is not kept for another circusd
        screen.shows("incr web: No circusd listens")
        daemon.begin()
        daemon.wait()
        after = daemon.wait_pids("web", 2)
        screen.shows(*map(str, after))
        wait_until(lambda: "OUT OF DATE" not in screen.text())
        assert daemon.pids("web") == after
        screen.type("q")
        screen.shows(DONE)


def test_a_circusd_that_hangs_is_told_of(circusd: Start) -> None:
    daemon = circusd(STATS + WATCHERS)
    daemon.wait_pids("web", 2)
    with Screen(*begin(daemon)) as screen:
        screen.shows("web.1")
        screen.type("/")
        screen.type("web", "Enter")
        daemon.process.send_signal(signal.SIGSTOP)
        try:
            screen.type("]", "y")
            screen.shows("OUT OF DATE", "incr web: Timed out")
            screen.type("q")
            screen.shows(DONE)
        finally:
            daemon.process.send_signal(signal.SIGCONT)


def test_who_may_only_look_is_told_so(circusd: Start) -> None:
    daemon = circusd(f"[circus]\nread_users = nobody\n{WATCHERS}")
    daemon.wait_pids("web", 2)
    daemon.folder.chmod(0o755)
    top = shlex.join([*as_user(65534, 65534), "circus-top", "--control", daemon.endpoint])
    with Screen("sh", "-c", f"{top}; echo status $?") as screen:
        screen.shows("web.1", "No statistics")
        for key, verb in (("r", "restart"), ("s", "stop"), ("]", "incr"), ("[", "decr")):
            screen.type("/")
            screen.type("web", "Enter", key, "y")
            screen.shows(f"{verb} web: denied: ")
        screen.type("F9")
        screen.type("HUP", "Enter")
        screen.shows("signal HUP to web: denied: ")
        screen.type("q")
        screen.shows(DONE)
    assert daemon.call("status", name="web")["status"] == "active"


def test_nothing_that_a_process_is_called_moves_the_cursor(circusd: Start) -> None:
    script = "exec -a $(printf '\\\\033[2J\\\\033]0;x\\\\007evil') sleep 3600"
    daemon = circusd(f'{STATS}[watcher:w]\ncmd = bash -c "{script}"\n')
    daemon.wait_pids("w", 1)
    with Screen(*begin(daemon)) as screen:
        screen.resize(120, 24)
        shown = screen.shows("w.1", "\\x1b[2J\\x1b]0;x\\x07evil")
        assert shown.startswith("circus-top")
        screen.type("q")


def test_without_colours_and_without_utf8(circusd: Start) -> None:
    daemon = circusd(f"{STATS}[watcher:é]\ncmd = sleep 3600\n")
    with Screen(*begin(daemon, before="NO_COLOR=1 LC_ALL=C")) as screen:
        screen.shows("\\xe9.1")
        screen.type("Enter")
        assert screen.shows("CPU  ").isascii()
        assert not re.search(r"\x1b\[[34][0-7]m", screen.raw())
        screen.type("q")
        screen.shows(DONE)


def test_a_terminal_that_has_no_colours_gets_none(circusd: Start) -> None:
    daemon = circusd(WATCHERS)
    with Screen(*begin(daemon, before="TERM=vt100")) as screen:
        screen.shows("web.1", "failed")
        assert not re.search(r"\x1b\[[34][0-7]m", screen.raw())
        screen.type("q")
        screen.shows(DONE)


def test_what_others_wrote_over_it_goes_when_it_is_drawn_anew(circusd: Start) -> None:
    daemon = circusd(WATCHERS)
    with Screen(*begin(daemon)) as screen:
        screen.shows("web.1")
        screen.scribble("\x1b[Ha message for all")
        screen.shows("a message for all")
        screen.type("C-l")
        wait_until(lambda: "a message for all" not in screen.text())
        screen.shows("circus-top  2 watchers", "web.1")
        screen.type("q")
        screen.shows(DONE)


def test_it_ends_with_its_terminal(circusd: Start) -> None:
    daemon = circusd(WATCHERS)
    ours, theirs = os.openpty()
    # no session of its own: no signal tells it
    process = subprocess.Popen(
        [*TOP, "--control", daemon.endpoint], stdin=theirs, stdout=theirs, stderr=subprocess.PIPE,
        text=True, env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    read_until(ours, "web.1")
    os.close(ours)
    _, said = process.communicate(timeout=30)
    assert (said, process.returncode) == ("", 0)


def test_who_has_the_statistics_alone_can_tell_nobody_anything(circusd: Start) -> None:
    daemon = circusd(STATS + WATCHERS)
    stats = f"ipc://{daemon.folder}/stats"
    wait_until((daemon.folder / "stats").exists)
    nowhere = shlex.join([*TOP, "--control", f"ipc://{daemon.folder}/none", "--endpoint", stats])
    with Screen("sh", "-c", f"{nowhere}; echo status $?") as screen:
        screen.shows("web")
        screen.type("/")
        screen.type("web", "Enter", "]", "y")
        screen.shows("incr web: there is no circusd to tell this")
        screen.type("q")
        screen.shows(DONE)


SANE = 'b=$(stty -g); {}; test "$b" = "$(stty -g)" && echo it is "sane"'
"""Says so after a command that leaves the terminal as it was."""


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_the_terminal_as_it_was(
    circusd: Start, tmp_path: Path, signum: signal.Signals
) -> None:
    daemon = circusd(STATS + WATCHERS)
    file = tmp_path / "pid"
    program = shlex.join([*TOP, "--control", daemon.endpoint])
    with Screen("sh", "-c", SANE.format(f"sh -c 'echo $$ >{file}; exec {program}'")) as screen:
        screen.shows("web.1")
        os.kill(int(file.read_text()), signum)
        assert "web.1" not in screen.shows("it is sane")


def test_a_failure_leaves_the_terminal_as_it_was() -> None:
    program = (
        "from circus.top.shell import Shell; from circus.top.state import State; "
        "shell = Shell(State(), color=True); shell.wake(); shell.run(None)"
    )
    command = shlex.join([sys.executable, "-c", program])
    with Screen("sh", "-c", SANE.format(command)) as screen:
        screen.shows("AttributeError: 'NoneType'", "it is sane")


@pytest.mark.parametrize(
    ("kind", "say"),
    [
        ("nonsense", "terminals of the kind 'nonsense' ($TERM) are not known here"),
        ("dumb", "a terminal of the kind 'dumb' cannot be drawn on"),
    ],
)
def test_a_terminal_that_cannot_be_drawn_on(kind: str, say: str) -> None:
    with Screen("sh", "-c", f"TERM={kind} {shlex.join(TOP)}; echo status $?", width=140) as screen:
        screen.shows(f"circus-top: {say}; --once or --batch N prints what there is", "status 2")


def test_it_is_suspended_and_goes_on(circusd: Start) -> None:
    daemon = circusd(STATS + WATCHERS)
    with Screen(*TOP, "--control", daemon.endpoint) as screen:
        screen.shows("web.1")
        screen.type("C-z")
        assert "web.1" not in screen.shows("Stopped")
        screen.type("fg", "Enter")
        screen.shows("web.1", "q End")
        screen.type("q")
        wait_until(lambda: "web.1" not in screen.text())
        screen.type("echo status $?", "Enter")
        screen.shows(DONE)


def test_without_statistics_circusd_is_asked(circusd: Start) -> None:
    daemon = circusd(WATCHERS)
    one, two = daemon.wait_pids("web", 2)
    with Screen(*begin(daemon)) as screen:
        screen.shows("No statistics are published", "set stats_endpoint", str(one), str(two), "0.0")
        screen.type("q")


# -- without a terminal ------------------------------------------------


@pytest.mark.parametrize(
    ("options", "say"),
    [
        (("--json",), "--json goes with --once or --batch"),
        (("--batch", "0"), "'0' is not a number of tables above 0"),
        (("--process-timeout", "nan"), "'nan' isn't a number of seconds above 0"),
    ],
)
def test_what_cannot_be_asked_for(options: tuple[str, ...], say: str) -> None:
    ended = top(*options)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.endswith(f"{say}\n")


def top(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TOP, *options], capture_output=True, text=True, timeout=60, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_one_table_is_printed(circusd: Start) -> None:
    daemon = circusd(STATS + WATCHERS)
    daemon.wait_pids("web", 2)
    ended = top("--once", "--control", daemon.endpoint)
    assert (ended.returncode, ended.stderr) == (0, "")
    names = [line.split()[0] for line in ended.stdout.splitlines()]
    assert names == [
        *("NAME", "broken", "broken.1", "circusd-stats", "circusd-stats.1"),
        *("web", "web.1", "sleep", "web.2", "sleep", "sockets", "http"),
    ]


def test_batches_are_lines_of_json(circusd: Start) -> None:
    daemon = circusd(STATS + WATCHERS)
    pids = daemon.wait_pids("web", 2)
    ended = top("--batch", "2", "--json", "--control", daemon.endpoint)
    first, second = map(json.loads, ended.stdout.splitlines())
    (web,) = [one for one in second["watchers"] if one["name"] == "web"]
    assert [slot["process"]["pid"] for slot in web["slots"]] == pids
    assert second["time"] > first["time"]
    assert second["sockets"][0]["name"] == "http"


def test_the_endpoint_of_statistics_is_enough(circusd: Start) -> None:
    daemon = circusd(STATS + WATCHERS)
    daemon.wait_pids("circusd-stats", 1)
    nowhere = f"ipc://{daemon.folder}/nowhere"
    wait_until((daemon.folder / "stats").exists)
    ended = top("--once", "--control", nowhere, "--endpoint", f"ipc://{daemon.folder}/stats")
    assert ended.returncode == 0
    assert "web" in ended.stdout


@pytest.mark.parametrize(
    ("options", "status", "say"),
    [
        (("--once", "--control", "ipc:///nowhere/x"), 1,
         "circus-top: No circusd listens at ipc:///nowhere/x; is it running?"),
        (("--once", "--control", "ipc:///nowhere/x", "--endpoint", "ipc:///nowhere/y"), 1,
         "circus-top: Nobody publishes statistics at ipc:///nowhere/y"),
        ((), 2, "circus-top: this is not a terminal; --once or --batch N prints what there is"),
        (("--once", "--control", "nonsense"), 1,
         "circus-top: Cannot reach nonsense: an endpoint is ipc:///path or tcp://host:port"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_one_line(options: tuple[str, ...], status: int, say: str) -> None:
    ended = top(*options)
    assert (ended.returncode, ended.stdout, ended.stderr) == (status, "", f"{say}\n")
