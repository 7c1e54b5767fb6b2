"""circusd in the background, with nobody left to read what it says."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from circus.client import CircusClient
from tests.support import text_of, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start


def background(
    folder: Path,
    *arguments: str,
    text: str = "[watcher:w]\ncmd = sleep 3600\n",
    runtime: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """What `circusd --daemon` says before it gives the prompt back; `runtime` has its sockets."""
    folder.mkdir(exist_ok=True)
    (folder / "x.ini").write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "circus.circusd", "--daemon", *arguments, str(folder / "x.ini")],
        env={**os.environ, "RUNTIME_DIRECTORY": str(runtime or folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_goes_to_the_background(circusd: Start) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\n")
    folder = daemon.folder / "background"
    pidfile, log = folder / "pid", folder / "log"
    options = ("--pidfile", str(pidfile), "--log-output", str(log))
    ended = background(folder, *options)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    pid = int(pidfile.read_text())
    try:
        assert os.getsid(pid) not in (pid, os.getsid(0))
        assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in range(3)} == {"/dev/null"}
        again = background(folder, *options)
        assert again.returncode == 1
        said = f"cannot write pid file {str(pidfile)!r}: it belongs to the running process {pid}"
        assert again.stderr == f"circusd: {said}\n"
        again = background(folder, "--log-output", str(log))
        assert again.returncode == 1
        assert f"another circusd (pid {pid}) serves it" in again.stderr
        assert int(pidfile.read_text()) == pid
        wait_until(lambda: "w.1 started" in text_of(log))
        # a start from anew is the same process, with the same file
        client = CircusClient(endpoint=f"ipc://{folder}/control", timeout=30)
        assert client.send_message("restart")["status"] == "ok"
        client.stop()
        wait_until(lambda: text_of(log).count("w.1 started") == 2)
        assert int(pidfile.read_text()) == pid
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not pidfile.exists())
    assert "Arbiter exiting" in log.read_text()
    assert "Traceback" not in log.read_text()


def half_pipes(pid: int) -> list[str]:
    """Those of which it has one end: its caller's, and for a moment one of each start."""
    held = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            held.append(os.readlink(entry))
    return [one for one in held if one.startswith("pipe:") and held.count(one) == 1]


def test_in_the_background_nobody_waits_for_its_output(tmp_path: Path) -> None:
    pidfile = tmp_path / "pid"
    ended = background(tmp_path, "--pidfile", str(pidfile))
    pid = int(pidfile.read_text())
    try:
        assert (ended.returncode, ended.stdout) == (0, "")
        assert "Arbiter now waiting for commands" in ended.stderr
        wait_until(lambda: not half_pipes(pid))
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not pidfile.exists())


def test_the_folder_of_circusd_is_made_for_the_pid_file_too(tmp_path: Path) -> None:
    runtime = tmp_path / "circus"
    pidfile = runtime / "circusd.pid"
    text = f"[circus]\npidfile = {pidfile}\n"
    assert background(tmp_path, text=text, runtime=runtime).returncode == 0
    pid = int(pidfile.read_text())
    try:
        assert runtime.stat().st_mode & 0o022 == 0
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not pidfile.exists())
    other = tmp_path / "other" / "circusd.pid"
    ended = background(tmp_path, "--pidfile", str(other), text=text, runtime=runtime)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"circusd: cannot write pid file '{other}': there is no folder '{other.parent}'; "
        "make it first\n"
    )


def test_what_hinders_a_start_in_the_background_is_told(tmp_path: Path) -> None:
    ended = background(tmp_path, text="[watcher:w]\ncmd = sleep 1\nnumprocesses = x\n")
    assert ended.returncode == 1
    assert ended.stderr == f"{tmp_path}/x.ini:3: numprocesses: 'x' is not a whole number\n"


def test_older_programs_find_daemonize(tmp_path: Path) -> None:
    code = "import os, sys; from circus.circusd import daemonize; daemonize(); "
    code += "open(sys.argv[1], 'w').write(f'{os.getppid()} {os.getsid(0)}.')"
    told = tmp_path / "told"
    subprocess.run([sys.executable, "-c", code, str(told)], timeout=60, check=True)
    wait_until(lambda: text_of(told).endswith("."))
    assert int(told.read_text().rstrip(".").split()[1]) != os.getsid(0)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("daemonize()", "ValueError: Cannot daemonize if gevent is loaded"),
        ("sys.exit(main(['--daemon', 'x']))", "circusd: Cannot daemonize if gevent is loaded"),
    ],
)
def test_with_gevent_nobody_goes_to_the_background(call: str, said: str) -> None:
    code = f"import gevent, sys; from circus.circusd import daemonize, main; {call}"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (1, said)
    assert ("Traceback" in ended.stderr) is said.startswith("ValueError")
