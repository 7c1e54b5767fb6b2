"""circusd as a program: what it prints, how it exits, what signals do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from circus.client import CircusClient
from tests.support import Daemon, free_port, text_of, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start


def circusd_program(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "circus.circusd", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_check_tells_everything_at_once(tmp_path: Path) -> None:
    file = tmp_path / "x.ini"
    file.write_text(
        "[watcher:a]\ncmd = /nowhere/a\nuid = nosuchuser\ngid = nosuchgroup\n"
        "working_dir = /nowhere\nenv_file = /nowhere/env\n"
        "[watcher:b]\ncmd = nosuchprogram\n[watcher:c]\ncmd = /etc/passwd\nrlimit_nope = 1\n"
    )
    ended = circusd_program("--check", str(file))
    assert ended.returncode == os.EX_CONFIG
    assert ended.stdout == ""
    assert sorted(ended.stderr.replace(f"{file}:", "").splitlines()) == [
        "10: cmd: '/etc/passwd' is not an executable file",
        "11: unknown limit 'nope', did you mean 'nofile'?",
        "2: cmd: '/nowhere/a' does not exist",
        "3: uid: there is no user 'nosuchuser'",
        "4: gid: there is no group 'nosuchgroup', did you mean 'nogroup'?",
        "5: working_dir: '/nowhere' is not a directory",
        "6: env_file: '/nowhere/env': no such file",
        "8: cmd: 'nosuchprogram' is not found on the path /bin:/usr/bin; "
        "set copy_env or a PATH in [env]",
    ]


def test_check_of_a_good_file(tmp_path: Path) -> None:
    file = tmp_path / "x.ini"
    file.write_text("[watcher:a]\ncmd = sleep 1\ncolour = red\n")
    ended = circusd_program("--check", str(file))
    assert (ended.returncode, ended.stdout) == (0, f"{file}: ok, 1 watcher\n")
    assert ended.stderr == f"warning: {file}:3: unknown option 'colour'\n"
    assert circusd_program("--check", "--strict", str(file)).returncode == os.EX_CONFIG


def test_a_check_that_is_interrupted_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "from pathlib import Path\nimport time\nPath(__file__).with_name('begun').touch()\n"
        "time.sleep(60)  # until somebody presses Ctrl-C\n"
    )
    file = tmp_path / "x.ini"
    file.write_text("[watcher:a]\ncmd = sleep 1\nhooks.before_start = slow.hook\n")
    with subprocess.Popen(
        [sys.executable, "-m", "circus.circusd", "--check", str(file)],
        stderr=subprocess.PIPE,
        text=True,
    ) as check:
        wait_until((tmp_path / "begun").exists)
        check.send_signal(signal.SIGINT)
        assert check.communicate(timeout=30)[1] == "circusd: interrupted before all was checked\n"
    assert check.returncode == 1


WEB = "[watcher:web]\ncmd = sleep 1\nsockets = www\n"


class Check:
    """A configuration with an empty folder to include, and files that may become part of it."""

    def __init__(self, folder: Path) -> None:
        self.main, self.web, self.other = (
            folder / name for name in ("circus.ini", "conf.d/web.ini", "conf.d/other.ini")
        )
        self.web.parent.mkdir()
        self.main.write_text("[circus]\ninclude_dir = conf.d\n[socket:www]\nport = 0\n")

    def of(self, target: Path, text: str) -> tuple[int, str]:
        """Whether a file may hold that, and what is said of it."""
        new = self.main.with_name("new")
        new.write_text(text)
        ended = circusd_program("--check", str(self.main), "--instead-of", str(target), str(new))
        return ended.returncode, ended.stderr.replace(f"{self.main.parent}/", "")


def test_a_file_is_checked_in_the_place_that_it_is_for(tmp_path: Path) -> None:
    check = Check(tmp_path)
    assert check.of(check.web, WEB) == (0, "")
    unknown = "sockets: nobody declares [socket:nope]"
    told = check.of(check.web, WEB.replace("www", "nope"))
    assert told == (os.EX_CONFIG, f"conf.d/web.ini:3: {unknown}\n")
    outside = tmp_path / "web.ini"
    assert check.of(outside, WEB) == (
        os.EX_CONFIG,
        "web.ini: circus.ini does not include this file\n",
    )
    assert not check.web.exists()


def test_a_file_answers_only_for_what_it_makes_wrong(tmp_path: Path) -> None:
    check = Check(tmp_path)
    check.web.write_text(WEB)
    without_socket = "[circus]\ninclude_dir = conf.d\n"
    wrong = "conf.d/web.ini:3: sockets: nobody declares [socket:www]\n"
    assert check.of(check.main, without_socket) == (os.EX_CONFIG, wrong)

    check.main.write_text(without_socket)
    assert check.of(check.web, WEB) == (os.EX_CONFIG, wrong)
    assert check.of(check.other, "[watcher:b]\ncmd = sleep 1\n") == (0, f"warning: {wrong}")
    assert check.of(check.web, "[watcher:web]\ncmd = sleep 1\n") == (0, "")


def test_what_looks_misspelt_fails_a_check_but_no_start(circusd: Start) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\nnumproceses = 3\n")
    daemon.wait_pids("w", 1)
    said = f"{daemon.config}:3: unknown option 'numproceses', did you mean 'numprocesses'?"
    assert said in daemon.text()
    ended = circusd_program("--check", str(daemon.config))
    assert (ended.returncode, ended.stdout, ended.stderr) == (os.EX_CONFIG, "", f"{said}\n")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ([], 0, "usage"),
        (["--version"], 0, "1.0.0"),
        (["--nonsense"], 2, "usage"),
        (["/nowhere/circus.ini"], 78, "does not exist"),
        (["--log-level", "loud", "x.ini"], 2, "invalid choice"),
        (["/"], 78, "/"),
        (["--check", "/nowhere/circus.ini"], 78, "does not exist"),
        (["--instead-of", "/etc/x.ini", "x.new", "x.ini"], 2, "needs --check"),
        (
            ["--check", "x.ini", "--instead-of", "x.ini", "/nowhere/x"],
            78,
            "cannot read '/nowhere/x'",
        ),
    ],
)
def test_t54_exit_statuses(arguments: list[str], status: int, words: str) -> None:
    ended = circusd_program(*arguments)
    assert ended.returncode == status
    assert words in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def test_t54_a_socket_that_cannot_be_bound_is_a_failed_start(circusd: Start) -> None:
    first = circusd("[watcher:w]\ncmd = sleep 3600\n[socket:s]\nhost = 127.0.0.1\nport = 0\n")
    port = first.call("listsockets")["sockets"][0]["port"]
    file = first.folder / "second.ini"
    file.write_text(f"[circus]\n[watcher:w]\ncmd = sleep 1\n[socket:s]\nport = {port}\n")
    ended = subprocess.run(
        [sys.executable, "-m", "circus.circusd", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "RUNTIME_DIRECTORY": str(first.folder / "other")},
    )
    assert ended.returncode == 1
    assert "cannot bind socket 's'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_socket_is_shared_by_its_workers(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:web]
cmd = echo $(circus.sockets.s) > FOLDER/fd; readlink /proc/self/fd/$(circus.sockets.s) > FOLDER/is
    exec sleep 3600
shell = True
copy_env = True
use_sockets = True
[socket:s]
path = FOLDER/sock
"""
    )
    told = daemon.folder / "is"
    wait_until(lambda: text_of(told).startswith("socket:"))


def test_hup_reloads_those_that_run_and_usr1_reopens(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:up]
cmd = while :; do echo tick; sleep 0.05; done
shell = True
copy_env = True
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/up.log
[watcher:down]
cmd = sleep 3600
autostart = False
"""
    )
    old = daemon.wait_pids("up", 1)
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: daemon.pids("up") and daemon.pids("up") != old)
    assert daemon.call("status", name="down")["status"] == "stopped"
    log = daemon.folder / "up.log"
    wait_until(lambda: log.exists() and log.stat().st_size)
    log.rename(daemon.folder / "up.old")
    daemon.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: "tick" in text_of(log))


def test_signals_while_it_ends_do_no_harm(circusd: Start) -> None:
    daemon = circusd(
        "[watcher:slow]\ncmd = trap '' TERM; echo up; while :; do sleep 0.05; done\nshell = True\n"
        "copy_env = True\ngraceful_timeout = 60\nstdout_stream.filename = FOLDER/out\n"
    )
    out = daemon.folder / "out"
    wait_until(lambda: text_of(out))
    daemon.process.send_signal(signal.SIGTERM)
    wait_until(lambda: daemon.call("status", name="slow")["status"] == "stopping")
    for signum in (signal.SIGHUP, signal.SIGUSR1, signal.SIGWINCH):
        daemon.process.send_signal(signum)
    wait_until(lambda: "Cannot reload: circusd is being stopped" in daemon.text())
    assert daemon.process.poll() is None
    daemon.process.send_signal(signal.SIGINT)  # the second one does not wait
    assert daemon.process.wait(timeout=30) == 0


def test_reloadconfig_touches_what_changed(circusd: Start) -> None:
    same = "[watcher:same]\ncmd = sleep 3600\n"
    daemon = circusd(f"{same}[watcher:gone]\ncmd = sleep 3601\n[watcher:more]\ncmd = sleep 3602\n")
    kept = daemon.wait_pids("same", 1)
    daemon.call("add", name="dynamic", cmd="sleep 3603", start=True, waiting=True)
    daemon.write(
        f"{same}[watcher:more]\ncmd = sleep 3602\nnumprocesses = 2\n[watcher:new]\ncmd = sleep 3\n"
    )
    more = daemon.pids("more")
    assert daemon.call("reloadconfig", waiting=True)["status"] == "ok"
    assert daemon.pids("same") == kept
    assert daemon.call("list")["watchers"] == ["dynamic", "more", "new", "same"]
    assert daemon.wait_pids("more", 2)[0] == more[0]
    daemon.write("[watcher:same]\ncmd = sleep 3600\nnumprocesses = x\n")
    for waiting in (True, False):  # a refusal is told in any case
        answer = daemon.call("reloadconfig", waiting=waiting)
        assert ":3: numprocesses: 'x' is not a whole number" in answer["reason"]
    assert daemon.pids("same") == kept


def test_t19_a_reload_takes_the_environment_of_now(circusd: Start) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\nenv_file = FOLDER/env\nautostart = False\n")
    env = daemon.folder / "env"
    env.write_text("ONE=1\nTWO='2 2'\n")
    daemon.call("start", name="w", waiting=True)

    def environ() -> dict[str, str]:
        text = Path(f"/proc/{daemon.pids('w')[0]}/environ").read_text()
        pairs = (item.partition("=") for item in text.split("\0") if item)
        return {name: value for name, _, value in pairs if name != "CIRCUS_WORKER"}

    # the kernel shows it a moment after the start of the program is known
    wait_until(lambda: environ() == {"ONE": "1", "TWO": "2 2"})
    env.write_text("TWO=3\n")
    daemon.call("reload", name="w", waiting=True)
    wait_until(lambda: environ() == {"TWO": "3"})


def test_a_watcher_that_cannot_run_here_tells_why_and_hinders_nobody(circusd: Start) -> None:
    daemon = circusd(
        "[watcher:user]\ncmd = sleep 1\nuid = nosuchuser\n"
        "[watcher:group]\ncmd = sleep 1\ngid = nosuchgroup\n"
        "[watcher:program]\ncmd = /nowhere/program\n"
        "[watcher:folder]\ncmd = sleep 1\nworking_dir = /nowhere\n"
        "[watcher:variables]\ncmd = sleep 1\nenv_file = /nowhere/env\n"
        "[watcher:fine]\ncmd = sleep 3600\n"
    )
    daemon.wait_pids("fine", 1)
    for name, reason in (
        ("user", "there is no such user"),
        ("group", "nosuchgroup"),
        ("program", "/nowhere/program"),
        ("folder", "/nowhere"),
        ("variables", "/nowhere/env"),
    ):
        wait_until(partial(tells, daemon, name, reason))
        assert daemon.call("status", name=name)["status"] in ("starting", "stopped")
        assert f"{name}.1: " in daemon.text()


def tells(daemon: Daemon, name: str, reason: str) -> bool:
    return reason in daemon.ctl("why", name).stdout


def test_tcp_works_and_is_told_to_be_open_to_all(circusd: Start) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\n")
    folder = daemon.folder / "tcp"
    folder.mkdir()
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    file, log = folder / "x.ini", folder / "log"
    file.write_text(f"[circus]\nendpoint = {endpoint}\n[watcher:w]\ncmd = sleep 3600\n")
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "circus.circusd", str(file)],
            stderr=output,
            env={**os.environ, "RUNTIME_DIRECTORY": str(folder)},
        ) as second,
    ):
        wait_until(lambda: "waiting for commands" in text_of(log))
        client = CircusClient(endpoint=endpoint, timeout=30)
        assert client.send_message("quit")["status"] == "ok"
        client.stop()
        assert second.wait(timeout=30) == 0
    told = f"endpoint = {endpoint}: whoever can connect to it can run any program as root"
    assert (told in log.read_text()) == (os.geteuid() == 0)


def test_t56_what_a_dead_circusd_left_hinders_nobody(circusd: Start, tmp_path: Path) -> None:
    pidfile = tmp_path / "pid"
    config = f"[circus]\npidfile = {pidfile}\n[watcher:w]\ncmd = sleep 3600\n"
    first = circusd(config)
    assert int(pidfile.read_text()) == first.process.pid
    (left,) = first.wait_pids("w", 1)
    first.process.kill()
    first.process.wait()
    os.kill(left, signal.SIGKILL)
    pidfile.write_text(f"{os.getpid()}\n")  # somebody has that number by now
    os.utime(pidfile, (0, 0))
    second = circusd(config)
    assert int(pidfile.read_text()) == second.process.pid
    pidfile.write_text(f"{os.getpid()}\n")  # and now it is not ours to remove
    second.process.terminate()
    assert second.process.wait(timeout=30) == 0
    assert pidfile.exists()


def test_on_demand_starts_exactly_those_concerned(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:lazy]
cmd = python3 -S FOLDER/hi.py $(circus.sockets.one)
use_sockets = True
on_demand = True
copy_env = True
[watcher:other]
cmd = sleep $(circus.sockets.two)
on_demand = True
[watcher:manual]
cmd = sleep 3600
autostart = False
[socket:one]
path = FOLDER/one
[socket:two]
path = FOLDER/two
"""
    )
    (daemon.folder / "hi.py").write_text(
        "import socket, sys\n"
        "with socket.socket(fileno=int(sys.argv[1])) as sock:\n"
        "    sock.accept()[0].send(b'hi')\n"
    )
    for _ in range(2):
        wait_until(lambda: daemon.call("status", name="lazy")["status"] == "stopped")
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            client.connect(str(daemon.folder / "one"))
            assert client.recv(2) == b"hi"
    statuses = daemon.statuses()
    assert (statuses["other"], statuses["manual"]) == ("stopped", "stopped")


def test_restart_of_the_daemon_reads_the_file_again(circusd: Start) -> None:
    daemon = circusd("[watcher:one]\ncmd = sleep 3600\n")
    pid = daemon.wait_pids("one", 1)
    daemon.write("[watcher:one]\ncmd = sleep 3600\nnumprocesses = x\n")
    answer = daemon.call("restart", waiting=True)
    assert answer["status"] == "error"
    assert daemon.pids("one") == pid
    daemon.write("[watcher:two]\ncmd = sleep 3600\n")
    assert daemon.call("restart")["status"] == "ok"
    wait_until(lambda: "two.1 started" in daemon.text())
    wait_until(lambda: daemon.ctl("list").stdout == "two\n")
