"""circusctl 0.19.0 drives our circusd: what it prints, how it ends, and what is then the case."""

from __future__ import annotations

import json
import os
import pwd
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.compat.interop.peer import SOCKET, WATCHERS, Ctl, Old, free_tcp_endpoint, has_text
from tests.support import Daemon, child, children, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = f"""{WATCHERS}[watcher:tree]
cmd = sh -c "trap 'echo leader' USR1; {child("print_signals")} & while :; do wait; done"
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/tree.log
graceful_timeout = 0.2
{SOCKET}[socket:unix]
path = FOLDER/web.sock
"""

INFO = re.compile(r"(\d+)  (\S+) (\S+) (-?\d+) [\d.]+[BKMG] [\d.]+[BKMG] [\d.]+ [\d.]+ \d+:[\d.]+")


class Driven:
    """A daemon of ours and the old circusctl that drives it."""

    def __init__(self, daemon: Daemon, old: Old) -> None:
        self.daemon = daemon
        self.ctl: Ctl = old.ctl(daemon.endpoint)

    def running(self, command: str) -> list[int]:
        """Pids of the daemon's own children that run this command, from the kernel."""
        mine = children(self.daemon.process.pid)
        return sorted(pid for pid in mine if command_line(pid) == command)

    def workers(self, name: str, command: str) -> list[int]:
        """What `list` prints, which has to be what the kernel says."""
        listed = [int(pid) for pid in self.ctl.done(f"list {name}").split(",") if pid]
        assert sorted(listed) == self.running(command)
        return listed


def command_line(pid: int) -> str:
    """Of a process; empty when it has gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").replace("\0", " ")
    except OSError:
        return ""


@pytest.fixture(scope="module")
def driven(old: Old) -> Iterator[Driven]:
    """Over TCP, as most installations of 0.19 are."""
    daemon = Daemon(CONFIG, endpoint=free_tcp_endpoint()).wait()
    wait_until(lambda: "active" not in {daemon.statuses()["off"]})
    wait_until(lambda: "ready" in daemon.file("tree.log"))
    yield Driven(daemon, old)
    daemon.stop()


# -- questions ----------------------------------------------------------------------------------


def test_list_and_numbers(driven: Driven) -> None:
    ctl = driven.ctl
    assert ctl.done("list") == "off,one,tree,web"
    assert len(driven.workers("web", "sleep 3601")) == 2
    assert ctl.done("list off") == ""
    assert ctl.done("numwatchers") == "4"
    assert ctl.done("numprocesses") == "4"
    assert ctl.done("numprocesses Web") == "2"
    assert json.loads(ctl.done("--json list"))["watchers"] == ["off", "one", "tree", "web"]


def test_status(driven: Driven) -> None:
    ctl = driven.ctl
    assert ctl.done("status") == "Web: active\noff: stopped\none: active\ntree: active"
    assert ctl.done("status wEB") == "active"
    assert ctl.done("status off") == "stopped"
    ended = ctl("status", "nope")  # this much of the reason is its own fault
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "", "error\n")


def test_options(driven: Driven) -> None:
    ctl = driven.ctl
    lines = dict(line.split(": ", 1) for line in ctl.done("options web").splitlines())
    assert list(lines) == sorted(lines)
    told = {name: lines[name] for name in ("cmd", "numprocesses", "stop_signal", "uid", "shell")}
    assert told == {
        "cmd": "sleep 3601", "numprocesses": "2", "stop_signal": "15", "uid": "", "shell": "False",
    }  # fmt: skip
    assert ctl.done("get web uid numprocesses") == "uid: \nnumprocesses: 2"
    shown = ctl.done("globaloptions")
    assert f"endpoint: {driven.daemon.endpoint}\n" in shown
    assert f"pubsub_endpoint: ipc://{driven.daemon.folder}/pubsub\n" in shown
    assert ctl.done("globaloptions check_delay") == "check_delay: 5.0"


def test_stats(driven: Driven) -> None:
    ctl = driven.ctl
    user = pwd.getpwuid(os.geteuid()).pw_name
    web = driven.workers("web", "sleep 3601")
    name, *lines = ctl.done("stats web").splitlines()
    assert name == "web:"
    for pid, line in zip(web, lines, strict=True):
        found = INFO.fullmatch(line.removeprefix(f"{pid}: "))
        assert found, line
        assert found.groups() == (str(pid), "sleep", user, str(os.nice(0)))
    everything = ctl.done("stats").splitlines()
    assert [line for line in everything if line.endswith(":")] == ["off:", "one:", "tree:", "Web:"]
    (leader,) = driven.daemon.pids("tree")
    (below,) = children(leader)
    first, second, blank = ctl.done(f"stats tree {leader}").split("\n")
    assert first.startswith(f"{leader}: {leader}  sh ")
    assert INFO.fullmatch(second.removeprefix("   "))
    assert second.startswith(f"   {below}  python")
    assert blank == ""
    assert ctl.done("stats --extended web").splitlines()[0] == "web:"
    main, line = ctl.done("dstats").splitlines()
    assert main == "Main Process:"
    assert line.startswith(f"    {driven.daemon.process.pid}  ")
    assert INFO.fullmatch(line.strip())


def test_sockets(driven: Driven) -> None:
    lines = driven.ctl.done("listsockets").splitlines()
    assert lines == sorted(lines, key=lambda line: int(line.partition(":")[0]))
    second, first = sorted(lines, key=lambda line: line.partition("'")[2])
    found = re.fullmatch(r"(\d+):socket 'web' at 127\.0\.0\.1:(\d+)", first)
    assert found
    pid = driven.daemon.process.pid
    assert os.readlink(f"/proc/{pid}/fd/{found[1]}").startswith("socket:")
    assert f"0100007F:{int(found[2]):04X}" in Path("/proc/net/tcp").read_text()
    assert re.fullmatch(rf"\d+:socket 'unix' at {driven.daemon.folder}/web\.sock", second)


REFUSED = [
    ("list nope", "error: program nope not found"),
    ("numprocesses nope", "error: program nope not found"),
    ("globaloptions nope", "'nope' not an existing option"),
    ("options nope", "error: program nope not found"),
    ("get web nope", "error: 'nope' option not found"),
    ("stats nope", "error: program nope not found"),
    ("stats web 1", "error: process 1 not found in 'Web'"),
    ("incr nope", "error: program nope not found"),
    ("decr nope", "error: program nope not found"),
    ("start nope", "error: program nope not found"),
    ("stop on --match simple", "error: program on not found"),
    ("restart web --match nope", "error: unknown match method nope"),
    ("reload nope", "error: program nope not found"),
    ("signal nope 15", "error: program nope not found"),
    ("signal web nope", "error: signal invalid: 'nope' in 'signum'"),
    ("kill nope", "error: program nope not found"),
    ("add WEB sleep 1", "error: 'WEB' already exist"),
    ("rm nope", "error: program nope not found"),
    ("set nope numprocesses 1", "error: program nope not found"),
    ("set web singleton True", "error: a singleton cannot have numprocesses above 1"),
]


@pytest.mark.parametrize(("line", "said"), REFUSED, ids=[line for line, _ in REFUSED])
def test_it_tells_what_is_refused(driven: Driven, line: str, said: str) -> None:
    assert driven.ctl.refused(line) == said


# -- changes ------------------------------------------------------------------------------------


def test_more_and_fewer(driven: Driven) -> None:
    ctl = driven.ctl
    assert ctl.done("incr web") == "ok"
    assert ctl.done("incr web 2 --waiting") == "5"
    before = driven.workers("web", "sleep 3601")
    assert len(before) == 5
    assert ctl.done("decr web 2 --waiting") == "3"
    assert driven.workers("web", "sleep 3601") == before[2:]  # the oldest went
    assert ctl.done("decr web") == "ok"
    wait_until(lambda: len(driven.running("sleep 3601")) == 2)
    fixed = "This watcher is a Singleton - not changing the number of processes"
    assert (ctl.done("incr one --waiting"), ctl.done("decr one")) == (fixed, fixed)
    assert len(driven.workers("one", "sleep 3602")) == 1


def test_start_and_stop(driven: Driven) -> None:
    ctl = driven.ctl
    assert ctl.done("start off --waiting") == "ok"
    (first,) = driven.workers("off", "sleep 3603")
    assert ctl.done("restart off --waiting") == "ok"
    (second,) = driven.workers("off", "sleep 3603")
    assert second != first
    assert ctl.done("stop o* --waiting") == "ok"
    assert driven.running("sleep 3602") + driven.running("sleep 3603") == []
    assert ctl.done("start ^ON --match regex --waiting") == "ok"
    assert ctl.done("status off") == "stopped"
    assert len(driven.workers("one", "sleep 3602")) == 1


@pytest.mark.parametrize("flag", ["", "--terminate", "--sequential"])
def test_reload(driven: Driven, flag: str) -> None:
    before = driven.workers("web", "sleep 3601")
    assert driven.ctl.done(f"reload web --waiting {flag}") == "ok"
    after = driven.workers("web", "sleep 3601")
    assert (len(after), set(before) & set(after)) == (2, set())


def test_signals(driven: Driven) -> None:
    ctl, daemon = driven.ctl, driven.daemon
    (leader,) = daemon.pids("tree")
    (below,) = children(leader)
    assert ctl.done("signal tree USR1") == "ok"
    wait_until(lambda: daemon.file("tree.log").split()[2:] == ["leader"])
    assert ctl.done(f"signal --children tree {leader} 12") == "ok"  # the leader would die of it
    wait_until(lambda: daemon.file("tree.log").split()[3:] == ["SIGUSR2"])
    assert ctl.done("signal --recursive tree sigusr1") == "ok"
    wait_until(lambda: sorted(daemon.file("tree.log").split()[4:]) == ["SIGUSR1", "leader"])
    assert (daemon.pids("tree"), children(leader)) == ([leader], [below])


def test_kill(driven: Driven) -> None:
    ctl = driven.ctl
    first, second = driven.workers("web", "sleep 3601")
    assert ctl.done(f"kill web {first} --signum INT --graceful_timeout 2.5") == "ok"
    wait_until(lambda: first not in driven.running("sleep 3601"))
    wait_until(lambda: len(driven.running("sleep 3601")) == 2)
    assert second in driven.workers("web", "sleep 3601")
    assert f"(pid {first}) killed by SIGINT" in driven.daemon.text()
    assert ctl.done("kill web --waiting") == "ok"  # which it does not send
    wait_until(lambda: second not in driven.running("sleep 3601"))
    wait_until(lambda: len(driven.running("sleep 3601")) == 2)


def test_add_and_rm(driven: Driven) -> None:
    ctl = driven.ctl
    assert ctl.done("add new sleep 3606") == "ok"
    assert ctl.done("status new") == "stopped"
    assert ctl.done("add --start New2 sleep 3607") == "ok"
    wait_until(lambda: len(driven.running("sleep 3607")) == 1)
    assert ctl.done("rm new2 --waiting") == "ok"
    wait_until(lambda: driven.running("sleep 3607") == [])
    assert ctl.done("rm new") == "ok"
    assert ctl.done("list") == "off,one,tree,web"


SETTINGS = [
    ("cmd", "sleep", "sleep"),
    ("args", "3608", "3608"),
    ("numprocesses", "2", "2"),
    ("warmup_delay", "0.01", "0.01"),
    ("working_dir", "/", "/"),
    ("uid", str(os.getuid()), str(os.getuid())),
    ("gid", str(os.getgid()), str(os.getgid())),
    ("send_hup", "off", "False"),
    ("stop_signal", "SIGINT", "2"),
    ("stop_children", "yes", "True"),
    ("shell", "false", "False"),
    ("copy_env", "on", "True"),
    ("max_retry", "-1", "-1"),
    ("graceful_timeout", "2.5", "2.5"),
    ("max_age", "600", "600.0"),
    ("max_age_variance", "5", "5.0"),
    ("respawn", "False", "False"),
    ("close_child_stdin", "False", "False"),
    ("close_child_stdout", "False", "False"),
    ("close_child_stderr", "True", "True"),
    ("rlimit_nofile", "500", "500"),
    ("stdout_stream.class", "FileStream", "FileStream"),
    ("stdout_stream.filename", "FOLDER/set.log", "FOLDER/set.log"),
    ("stdout_stream.max_bytes", "100000", "100000"),
    ("stderr_stream.class", "StdoutStream", "StdoutStream"),
]


def test_every_option_can_be_set(driven: Driven) -> None:
    ctl, daemon = driven.ctl, driven.daemon
    folder = str(daemon.folder)
    ctl.done("add --start set sleep 3609")
    words = [word.replace("FOLDER", folder) for key, value, _ in SETTINGS for word in (key, value)]
    assert ctl.done("set --waiting set", *words) == "ok"
    shown = ctl.done("get set " + " ".join(key for key, _, _ in SETTINGS)).splitlines()
    wanted = [f"{key}: {text.replace('FOLDER', folder)}" for key, _, text in SETTINGS]
    assert shown == wanted
    pids = driven.workers("set", "sleep 3608")
    assert len(pids) == 2
    for pid in pids:
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        assert re.search(r"^Max open files +500 +500 ", limits(pid), re.MULTILINE)
        assert f"HOME={os.environ['HOME']}".encode() in environ(pid)
    assert ctl.done("rm set") == "ok"


def limits(pid: int) -> str:
    """Of a process, as the kernel tells them."""
    return Path(f"/proc/{pid}/limits").read_text()


def environ(pid: int) -> list[bytes]:
    """The variables of a process."""
    return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")


def test_reloadconfig(driven: Driven) -> None:
    ctl, daemon = driven.ctl, driven.daemon
    text = daemon.config.read_text()
    daemon.write(text.replace("numprocesses = 2", "numprocesses = 3"))
    assert ctl.done("reloadconfig --waiting") == "ok"
    assert len(driven.workers("web", "sleep 3601")) == 3
    daemon.write(text.replace("numprocesses = 2", "numprocesses = two"))
    assert "numprocesses: 'two' is not a whole number" in ctl.refused("reloadconfig")
    daemon.write(text)
    assert ctl.done("reloadconfig --waiting") == "ok"
    assert len(driven.workers("web", "sleep 3601")) == 2


def test_listen(driven: Driven, old: Old) -> None:
    events = driven.daemon.call("globaloptions")["options"]["pubsub_endpoint"]
    with old.ctl(events).begin("listen", "watcher.web.updated") as listening:
        assert listening.stdout is not None
        wait_until(lambda: updated(driven.daemon) and has_text(listening.stdout))
        line = listening.stdout.readline()
        assert re.match(r"b'watcher\.web\.updated': b'\{.*\"time\": [\d.]+", line), line
        listening.send_signal(signal.SIGINT)


def updated(daemon: Daemon) -> bool:
    """Cause an event that changes nothing."""
    return bool(daemon.call("set", name="web", options={"graceful_timeout": 30})["status"] == "ok")


def test_the_whole_daemon(old: Old) -> None:
    daemon = Daemon("[watcher:w]\ncmd = sleep 3610\n", endpoint=free_tcp_endpoint()).wait()
    try:
        driven = Driven(daemon, old)
        ctl = driven.ctl
        (first,) = driven.workers("w", "sleep 3610")
        assert ctl.done("reload --waiting") == "ok"
        (second,) = driven.workers("w", "sleep 3610")
        assert ctl.done("stop --waiting") == "ok"
        assert driven.workers("w", "sleep 3610") == []
        assert ctl.done("start --waiting") == "ok"
        (third,) = driven.workers("w", "sleep 3610")
        assert ctl.done("restart --waiting") == "ok"
        (fourth,) = driven.workers("w", "sleep 3610")
        assert len({first, second, third, fourth}) == 4
        assert ctl.done("quit --waiting") == "ok"
        assert daemon.process.wait(timeout=20) == 0
        assert "Timed out" in ctl("--timeout", "1", "list").stderr
    finally:
        daemon.stop()


# -- one session, over a Unix socket ------------------------------------------------------------

PIDS = r"\d+(,\d+)*"
SESSION = [
    ("list", "off,one,tree,web"),
    ("list web", PIDS),
    ("status off", "stopped"),
    ("numwatchers", "4"),
    ("numprocesses web", "2"),
    ("globaloptions check_delay", r"check_delay: 5\.0"),
    ("options web", r"(\w+: .*\n)+cmd: sleep 3601\n(\w+: .*\n?)+"),
    ("get web cmd", "cmd: sleep 3601"),
    ("stats web", rf"web:(\n\d+: {INFO.pattern})+"),
    ("dstats", rf"Main Process:\n    {INFO.pattern}"),
    ("listsockets", r"(\d+:socket '\w+' at \S+\n?){2}"),
    ("incr web --waiting", "3"),
    ("decr web --waiting", "2"),
    ("start off --waiting", "ok"),
    ("stop off --waiting", "ok"),
    ("restart one --waiting", "ok"),
    ("reload web --waiting", "ok"),
    ("signal web CONT", "ok"),
    ("kill one", "ok"),
    ("add new sleep 3606", "ok"),
    ("set new numprocesses 2", "ok"),
    ("rm new", "ok"),
    ("reloadconfig --waiting", "ok"),
    ("stop nope", ""),  # the reason goes to standard error
    # no restart of all: what is sent while circusd takes its socket anew may get lost
    ("quit --waiting", "ok"),
]


def test_a_session_with_every_command(old: Old) -> None:
    daemon = Daemon(CONFIG).wait()
    try:
        typed = "".join(f"{line}\n" for line, _ in SESSION)
        ended = old.ctl(daemon.endpoint)(typed=typed)
        assert (ended.returncode, ended.stderr) == (0, "error: program nope not found\n")
        banner, *printed, last = ended.stdout.split("(circusctl) ")
        assert banner == "circusctl 0.19.0\nWeb: active\noff: stopped\none: active\ntree: active\n"
        for (line, wanted), text in zip(SESSION, printed, strict=True):
            assert re.fullmatch(wanted, text.rstrip("\n")), (line, text)
        assert last == "\n"
        assert daemon.process.wait(timeout=20) == 0
    finally:
        daemon.stop()
