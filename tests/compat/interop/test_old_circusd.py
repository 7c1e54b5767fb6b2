"""Our circusctl drives a circusd 0.19.0: what it prints, how it ends, and what is then the case."""

from __future__ import annotations

import json
import re
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from circus import __version__
from tests.compat.interop.peer import OUR_CIRCUSCTL, SOCKET, WATCHERS, Ctl, Old, OldDaemon, has_text
from tests.support import Daemon, alive, children, text_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = f"""
check_delay = 0.2
{WATCHERS}[watcher:tree]
cmd = sh -c "sleep 3614 & exec sleep 3615"
stop_children = True
[watcher:log]
cmd = sh -c "echo one; echo two; exec sleep 3616"
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/log
{SOCKET}"""


@pytest.fixture(scope="module")
def daemon(old: Old) -> Iterator[OldDaemon]:
    """One that each test leaves as it found it."""
    started = OldDaemon(old, CONFIG)
    try:
        started.wait()
        wait_until(lambda: text_of(started.folder / "log") == "one\ntwo\n")
        yield started
    finally:
        started.stop()


@pytest.fixture
def ctl(daemon: OldDaemon) -> Ctl:
    """Ours, and that daemon."""
    return Ctl(*OUR_CIRCUSCTL, endpoint=daemon.endpoint)


def pids(ctl: Ctl, name: str) -> list[int]:
    """The workers of a watcher."""
    return [int(pid) for pid in ctl.done(f"list {name}").split(",") if pid]


def gone(processes: list[int]) -> bool:
    """Whether none of these is left."""
    return not any(map(alive, processes))


def test_every_question(daemon: OldDaemon, ctl: Ctl) -> None:
    assert ctl.done("list") == "log,off,one,tree,web"
    web = pids(ctl, "web")
    assert set(web) < set(children(daemon.process.pid))
    assert ctl.done("status") == "Web: active\nlog: active\noff: stopped\none: active\ntree: active"
    assert ctl.done("status off") == "stopped"
    assert (ctl.done("numwatchers"), ctl.done("numprocesses")) == ("5", "5")
    assert ctl.done("numprocesses WEB") == "2"
    assert f"\npubsub_endpoint: {daemon.events}\n" in "\n" + ctl.done("globaloptions") + "\n"
    assert ctl.done("globaloptions check_delay") == "check_delay: 0.2"
    assert "\ncmd: sleep 3601\n" in ctl.done("options web")
    assert ctl.done("get web uid numprocesses") == "uid: \nnumprocesses: 2"
    assert re.fullmatch(r"\d+:socket 'web' at 127\.0\.0\.1:\d+", ctl.done("listsockets"))
    assert ctl.done("logs log -n1") == "two"
    assert json.loads(ctl.done("--json list web"))["pids"] == web
    assert f"{web[1]}: {web[1]}  sleep " in ctl.done("stats web")
    assert ctl.done(f"stats web {web[0]}").startswith(f"{web[0]}: {web[0]}  sleep ")
    assert ctl.done("stats").splitlines()[0] == "Web:"
    assert f"\n    {daemon.process.pid}  python" in ctl.done("dstats")


def test_every_change(daemon: OldDaemon, ctl: Ctl) -> None:
    assert ctl.done("incr web 2 --waiting") == "4"
    assert ctl.done("decr web 2 --waiting") == "2"
    assert ctl.done("incr one").startswith("This watcher is a Singleton")
    assert ctl.done("start off --waiting") == "ok"
    assert len(pids(ctl, "off")) == 1
    assert ctl.done("stop o?f --match glob --waiting") == "ok"
    assert pids(ctl, "off") == []
    for command in (
        "restart web",
        "reload web",
        "reload web --terminate",
        "reload web --sequential",
    ):
        before = pids(ctl, "web")
        assert ctl.done(f"{command} --waiting") == "ok"
        wait_until(partial(gone, before))
        assert len(pids(ctl, "web")) == 2
    (one,) = pids(ctl, "one")
    assert ctl.done(f"kill one {one} --signum INT --graceful_timeout 2.5 --waiting") == "ok"
    assert not alive(one)
    wait_until(lambda: pids(ctl, "one") not in ([], [one]))
    (leader,) = pids(ctl, "tree")
    (below,) = children(leader)
    assert ctl.done(f"signal tree {leader} KILL --children") == "ok"
    wait_until(lambda: not alive(below))
    assert alive(leader)
    assert ctl.done("add --start --waiting new sleep 3617") == "ok"
    assert len(pids(ctl, "new")) == 1
    assert ctl.done("rm new --waiting") == "ok"
    assert "new" not in ctl.done("list")
    assert ctl.done("reloadconfig --waiting") == "ok"


def test_values_are_sent_as_what_they_are(ctl: Ctl) -> None:
    words = (
        "numprocesses 1 warmup_delay 0.5 graceful_timeout 5 max_retry 4 max_age 600 send_hup yes "
        "stop_signal SIGINT copy_env true env A=1,B=2 working_dir / shell off rlimit_nofile 500 "
        "stdout_stream.class FileStream stdout_stream.filename /dev/null "
        "stdout_stream.max_bytes 1000 hooks.before_start builtins.bool,true"
    )
    assert ctl.done(f"set off {words}") == "ok"
    shown = ctl.done(
        "get off numprocesses warmup_delay graceful_timeout max_age send_hup stop_signal env "
        "working_dir stdout_stream_conf"
    )
    assert shown.splitlines() == [
        "numprocesses: 1", "warmup_delay: 0.5", "graceful_timeout: 5.0", "max_age: 600",
        "send_hup: True", "stop_signal: 2", "env: A=1,B=2", "working_dir: /",
        "stdout_stream_conf: {'filename': '/dev/null', 'max_bytes': 1000}",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("list nope", "program nope not found"),
        ("status nope", "program nope not found"),
        ("start nope", "program nope not found"),
        ("globaloptions nope", "'nope' not an existing option"),
        ("get web nope", "'nope' option not found"),
        ("add WEB sleep 1", "'WEB' already exist"),  # without the request that it quotes
        ("set web numprocesses many", "'numprocesses' isn't an integer"),
        ("kill nope --waiting", "server error"),
        ("is-active web", "unknown command: 'is-active'"),
        ("why web", "unknown command: 'why'"),
        ("wait web", "unknown command: 'wait'"),
    ],
)
def test_it_tells_what_is_refused(ctl: Ctl, line: str, said: str) -> None:
    assert ctl.refused(line) == f"error: {said}"
    ended = ctl("--json", *line.split())
    assert (ended.returncode, ended.stderr) == (3, "")
    assert json.loads(ended.stdout)["status"] == "error"


def test_it_waits_while_the_daemon_is_at_something_else(ctl: Ctl) -> None:
    """Of several, 0.19 refuses all but the first: "arbiter is already running ... command"."""
    running = [ctl.begin("restart", name, "--waiting") for name in ("web", "one", "tree", "log")]
    for process in running:
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, "ok\n", "")


def test_several_at_once(ctl: Ctl) -> None:
    """It knows neither groups nor `why`, and does one thing at a time."""
    said = ctl.done("restart --waiting one web", "l*")
    assert said == "one: ok\nWeb: ok\nlog: ok"
    assert ctl.done("status web off") == "web: active\noff: stopped"
    assert ctl.refused("status @none") == "@none: error: no watcher is in the group none"
    head, *rows = ctl.done("--color always status").splitlines()
    assert "NAME" in head
    assert "WORKERS" not in head
    assert len(rows) == 5


@pytest.mark.parametrize("which", ["endpoint", "events"])
def test_listen(daemon: OldDaemon, which: str, ctl: Ctl) -> None:
    listener = Ctl(*OUR_CIRCUSCTL, endpoint=getattr(daemon, which))
    with listener.begin("listen", "watcher.web.updated") as listening:
        assert listening.stdout is not None
        wait_until(lambda: ctl.done("set web graceful_timeout 30") and has_text(listening.stdout))
        line = listening.stdout.readline()
        topic, _, message = line.partition(": ")
        assert topic == "watcher.web.updated"
        assert json.loads(message)["time"] > 0
        listening.send_signal(signal.SIGINT)


def test_a_session(ctl: Ctl) -> None:
    ended = ctl(typed="list\nnope\nstop nope\nincr web --waiting\ndecr web --waiting\n")
    assert ended.returncode == 0
    banner, *printed = ended.stdout.split("(circusctl) ")
    assert banner.startswith(f"circusctl {__version__}\nWeb: active\n")
    wanted = ["log,off,one,tree,web\n", "*** Unknown syntax: nope\n", "", "3\n", "2\n", "\n"]
    assert printed == wanted
    assert ended.stderr == "error: program nope not found\n"


def test_the_whole_daemon(old: Old) -> None:
    daemon = OldDaemon(old, "check_delay = 0.2\n[watcher:w]\ncmd = sleep 3619\n").wait()
    try:
        ctl = Ctl(*OUR_CIRCUSCTL, endpoint=daemon.endpoint)
        wait_until(lambda: ctl.done("status w") == "active")
        assert ctl.done("reload --waiting") == "ok"
        assert ctl.done("stop --waiting") == "ok"
        assert ctl.done("status") == "w: stopped"
        assert ctl.done("start --waiting") == "ok"
        (pid,) = pids(ctl, "w")
        assert Path(f"/proc/{pid}/comm").read_text() == "sleep\n"
        assert ctl.done("quit --waiting") == "ok"
        assert daemon.process.wait(timeout=20) == 0
        wait_until(lambda: ctl("status").returncode == 1)
    finally:
        daemon.stop()


def test_t56_a_pid_file_of_either_is_respected_by_the_other(old: Old, tmp_path: Path) -> None:
    config = f"[circus]\npidfile = {tmp_path}/pid\n"
    older = OldDaemon(old, f"pidfile = {tmp_path}/pid\n")
    try:
        older.wait()
        wait_until(lambda: (tmp_path / "pid").exists())
        ours = Daemon(config)
        assert ours.process.wait(timeout=20) == 1
        assert f"it belongs to the running process {older.process.pid}" in ours.text()
        ours.stop()
    finally:
        older.stop()
    ours = Daemon(config).wait()
    older = OldDaemon(old, f"pidfile = {tmp_path}/pid\n")
    try:
        assert older.process.wait(timeout=20) == 1
        assert f"pid file '{tmp_path}/pid' is stale" in older.log.read_text()  # its words for it
        assert int((tmp_path / "pid").read_text()) == ours.process.pid
    finally:
        older.stop()
        ours.stop()
