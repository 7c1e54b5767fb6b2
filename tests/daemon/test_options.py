"""What the options of a watcher do to its workers, seen from inside and outside of them."""

from __future__ import annotations

import os
import pwd
import re
import signal
import socket
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import child, children, needs_root, ready, text_of, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start
    from tests.support import Daemon


def output(daemon: Daemon, name: str = "w") -> Path:
    return daemon.folder / f"{name}.log"


def test_the_umask_of_circusd_is_that_of_what_it_makes(circusd: Start) -> None:
    daemon = circusd("[circus]\numask = 027\n" + once("sh -c umask"))
    wait_until(lambda: text_of(output(daemon)) == "0027\n")
    assert output(daemon).stat().st_mode & 0o777 == 0o640


def once(command: str, *options: str) -> str:
    """A watcher that runs a command once and keeps what it prints."""
    return "\n".join(
        [
            "[watcher:w]",
            f"cmd = {command}",
            "respawn = False",
            "stdout_stream.filename = FOLDER/w.log",
            *options,
            "",
        ]
    )


def said(daemon: Daemon, last: str) -> str:
    """Its output, once it contains `last`."""
    return str(wait_until(lambda: last in (text := text_of(output(daemon))) and text))


@needs_root
def test_identity_limits_and_the_rest_reach_the_program(circusd: Start) -> None:
    daemon = circusd(
        once(
            "cat /proc/self/status /proc/self/limits /proc/self/stat",
            *("uid = nobody", "gid = 0", "supplementary_groups = daemon, 4242"),
            *("rlimit_nofile = 100:200", "rlimit_core = 0", "rlimit_stack = unlimited"),
            *("umask = 027", "nice = 5", "no_new_privileges = True"),
        )
    )
    text = said(daemon, "(cat)")
    nobody = pwd.getpwnam("nobody").pw_uid
    assert re.search(rf"^Uid:\s{nobody}\s{nobody}\s", text, re.MULTILINE)
    assert re.search(r"^Gid:\s0\s0\s", text, re.MULTILINE)
    assert re.search(r"^Groups:\s1 4242 $", text, re.MULTILINE)
    assert re.search(r"^Umask:\s0027$", text, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s1$", text, re.MULTILINE)
    assert re.search(r"^Max open files +100 +200 ", text, re.MULTILINE)
    assert re.search(r"^Max core file size +0 +0 ", text, re.MULTILINE)
    assert re.search(r"^Max stack size +unlimited +unlimited ", text, re.MULTILINE)
    assert text.rpartition(")")[2].split()[16] == "5"


def test_a_limit_above_our_own_is_a_reason(circusd: Start) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\nrlimit_nofile = 99999999999\nmax_retry = 2\n")
    wait_until(lambda: daemon.call("status", name="w")["status"] == "stopped")
    slot = daemon.slots("w")[0]
    assert (slot["state"], slot["failures"]) == ("failed", 2)
    assert slot["last"] == "cannot start 'sleep': rlimit_nofile: Operation not permitted"


def test_the_program_may_be_another_than_its_first_word(circusd: Start) -> None:
    daemon = circusd(once("renamed -c 'echo $0 $1' first second", "executable = /bin/sh"))
    assert said(daemon, "\n") == "first second\n"


def test_a_shell_gets_its_arguments(circusd: Start) -> None:
    daemon = circusd(once("echo $0-$1 && echo done", "shell = True", "shell_args = 'a b' c"))
    assert said(daemon, "done\n") == "a b-c\ndone\n"


def test_the_working_directory(circusd: Start, tmp_path: Path) -> None:
    daemon = circusd(once("pwd", "shell = True", f"working_dir = {tmp_path}"))
    assert said(daemon, "\n") == f"{tmp_path}\n"


def test_closed_streams_are_dev_null_and_others_are_ours(circusd: Start) -> None:
    links = "readlink /proc/self/fd/{0}"
    daemon = circusd(
        once("readlink /proc/self/fd/0 /proc/self/fd/2", "close_child_stderr = True")
        + "[watcher:open]\nrespawn = False\nshell = True\nclose_child_stdin = False\n"
        f"cmd = {links.format(2)} > FOLDER/two; {links.format(0)} > FOLDER/zero\n"
        "[watcher:quiet]\nrespawn = False\nshell = True\nclose_child_stdout = True\n"
        f"cmd = {links.format(1)} >&2\nstderr_stream.filename = FOLDER/quiet.log\n"
    )
    assert said(daemon, "\n/dev/null\n") == "/dev/null\n/dev/null\n"
    zero = daemon.folder / "zero"
    wait_until(lambda: text_of(zero).endswith("\n"))
    assert (daemon.folder / "two").read_text() == f"{daemon.log}\n"
    quiet = daemon.folder / "quiet.log"
    # readlink looks at its own standard output, which is the stream of errors here
    wait_until(lambda: text_of(quiet).startswith("pipe:"))


def test_a_socket_may_be_the_standard_input(circusd: Start) -> None:
    daemon = circusd(
        "[watcher:w]\ncmd = python3 -S FOLDER/answer.py\ncopy_env = True\nstdin_socket = s\n"
        "autostart = False\n[socket:s]\npath = FOLDER/s\n"
    )
    (daemon.folder / "answer.py").write_text(
        "import socket\n"
        "with socket.socket(fileno=0) as sock:\n"
        "    while True:\n"
        "        sock.accept()[0].send(b'hi')\n"
    )
    assert daemon.call("start", name="w", waiting=True)["status"] == "ok"
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(str(daemon.folder / "s"))
        assert client.recv(2) == b"hi"


def test_a_virtual_environment(circusd: Start, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = tmp_path / "env" / "lib" / version / "site-packages"
    (packages / "only_here.py").write_text("print('from the environment')\n")
    daemon = circusd(
        once("python -c 'import only_here'", "copy_env = True", f"virtualenv = {tmp_path}/env")
    )
    assert said(daemon, "\n") == "from the environment\n"


def test_the_module_path_of_the_daemon(circusd: Start) -> None:
    daemon = circusd(once("printenv PYTHONPATH", "copy_env = True", "copy_path = True"))
    assert any(entry.endswith("site-packages") for entry in said(daemon, "\n").strip().split(":"))


def test_another_signal_may_mean_stop(circusd: Start) -> None:
    daemon = circusd(
        f"[watcher:w]\ncmd = {child('print_signals')}\nstop_signal = USR1\n"
        "graceful_timeout = 0.2\nstdout_stream.filename = FOLDER/w.log\n"
    )
    wait_until(lambda: ready(text_of(output(daemon))))
    assert daemon.call("stop", name="w", waiting=True)["status"] == "ok"
    assert "SIGUSR1" in output(daemon).read_text()
    assert "SIGTERM" not in output(daemon).read_text()


@pytest.mark.parametrize("value", [True, False])
def test_children_hear_the_stop_signal_too(circusd: Start, *, value: bool) -> None:
    daemon = circusd(
        f"[watcher:w]\ncmd = trap '' TERM; {child('print_signals')} & wait; wait; sleep 60\n"
        f"shell = True\ncopy_env = True\nstop_children = {value}\ngraceful_timeout = 0.3\n"
        "stdout_stream.filename = FOLDER/w.log\n"
    )
    wait_until(lambda: ready(text_of(output(daemon))))
    assert daemon.call("stop", name="w", waiting=True)["status"] == "ok"
    assert ("SIGTERM" in output(daemon).read_text()) is value


def test_hup_instead_of_new_workers(circusd: Start) -> None:
    daemon = circusd(
        f"[watcher:w]\ncmd = {child('print_signals')}\nsend_hup = True\ngraceful_timeout = 0.1\n"
        "stdout_stream.filename = FOLDER/w.log\n"
    )
    wait_until(lambda: ready(text_of(output(daemon))))
    before = daemon.pids("w")
    answer = daemon.call("reload", name="w", waiting=True)
    assert answer["info"] == {"started": [], "kept": before, "stopped": []}
    wait_until(lambda: "SIGHUP" in text_of(output(daemon)))


def test_a_worker_is_replaced_at_its_age(circusd: Start) -> None:
    daemon = circusd(
        "[watcher:w]\ncmd = sleep 3600\nnumprocesses = 2\nmax_age = 0.3\nmax_age_variance = 0.2\n"
    )
    first = set(daemon.wait_pids("w", 2))
    wait_until(lambda: len(pids := set(daemon.pids("w"))) == 2 and not pids & first)
    assert daemon.slots("w")[0]["last"] == "killed by SIGTERM"


def test_the_death_of_the_daemon_may_be_that_of_its_workers(circusd: Start) -> None:
    daemon = circusd(
        "[watcher:w]\ncmd = sleep 3600\nparent_death_signal = TERM\n"
        "[watcher:u]\ncmd = sleep 3600\nparent_death_signal = KILL\nnice = 1\n"
    )
    workers = [*daemon.wait_pids("w", 1), *daemon.wait_pids("u", 1)]
    daemon.process.kill()
    daemon.process.wait()
    # they came to us, as orphans
    wait_until(lambda: set(workers) <= set(children(os.getpid())))
    ends = {os.waitpid(pid, 0)[1] for pid in workers}
    assert ends == {signal.SIGTERM, signal.SIGKILL}
