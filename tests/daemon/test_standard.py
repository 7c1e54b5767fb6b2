"""Programs that are started with some of their standard streams closed, as by `>&-`."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from circus import __version__, circusctl
from circus.client import CircusClient
from tests.support import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.daemon.conftest import Start


def closed(streams: str, module: str, *words: str, folder: Path) -> subprocess.Popen[str]:
    """Start a program whose `streams`, written as in a shell, are closed; the others are pipes."""
    command = ["sh", "-c", f'exec "$0" "$@" {streams}', sys.executable, "-m", module, *words]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "RUNTIME_DIRECTORY": str(folder)},
    )


@pytest.mark.parametrize("streams", ["2>&-", "<&- >&- 2>&-"])
def test_circusd_runs_without_them_and_workers_have_them(tmp_path: Path, streams: str) -> None:
    config = tmp_path / "circus.ini"
    config.write_text("[watcher:w]\ncmd = sleep 3600\n")
    client = CircusClient(endpoint=f"ipc://{tmp_path}/control", timeout=30)
    with closed(streams, "circus.circusd", str(config), folder=tmp_path) as process:
        try:
            wait_until(lambda: (tmp_path / "control").exists() or process.poll() is not None)
            assert process.poll() is None
            client.send_message("wait", names=["w"])
            (worker,) = client.send_message("list", name="w")["pids"]
            for pid in (process.pid, worker):
                assert os.readlink(f"/proc/{pid}/fd/2") == "/dev/null"
        finally:
            process.terminate()
            client.stop()
        assert process.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("module", "words", "status"),
    [
        ("circus.circusctl", ["status"], 0),
        ("circus.circusctl", ["status", "nope"], 3),
        ("circus.top.program", ["--once"], 0),
    ],
)
def test_what_nobody_can_read_is_no_failure(
    circusd: Start, module: str, words: list[str], status: int
) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\n")
    for streams in (">&-", "<&- >&- 2>&-"):
        with closed(streams, module, *words, folder=daemon.folder) as process:
            _, said = process.communicate(timeout=60)
        assert process.returncode == status
        assert "Traceback" not in said


def test_a_reader_who_has_gone_is_no_reason_for_a_word(circusd: Start) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\n")
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-m", "circus.circusctl", "start", "w", "nope"],
        env={**os.environ, "RUNTIME_DIRECTORY": str(daemon.folder)},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, "")


def test_a_program_may_keep_what_circusctl_prints() -> None:
    with contextlib.redirect_stdout(io.StringIO()) as kept:
        assert circusctl.main(["--version"]) == 0
    assert kept.getvalue() == f"circusctl {__version__}\n"
