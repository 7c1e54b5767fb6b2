"""What docs/migrate/supervisor.md says of Supervisor 4.3, beside what the same file does here."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import install
from tests.compat.interop.peer import OUR_CIRCUSCTL, Ctl, Ended, end_orphan, run
from tests.support import Daemon, alive, text_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = """\
[supervisord]
nodaemon=true
logfile=FOLDER/log
childlogdir=FOLDER
pidfile=FOLDER/pid
[unix_http_server]
file=FOLDER/control
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://FOLDER/control
[program:web]
command=sleep 3631
process_name=%(program_name)s_%(process_num)02d
numprocs=2
startsecs=0
[program:tree]
command=sh -c 'sleep 3632 & echo $! > FOLDER/child; wait'
startsecs=0
"""


class Theirs:
    """A supervisord in a folder of its own."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self.folder = folder
        self.config = folder / "supervisord.conf"
        self.config.write_text(CONFIG.replace("FOLDER", str(folder)))
        self.env = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
        self.process = subprocess.Popen(
            [str(programs / "supervisord"), "-c", str(self.config)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self.env,
        )

    def ctl(self, *words: str) -> Ended:
        """Its supervisorctl."""
        return run(
            str(self._programs / "supervisorctl"), "-c", str(self.config), *words, env=self.env
        )

    def pids(self) -> set[int]:
        """The processes of `web`; none while one is starting."""
        lines = self.ctl("status", "web:*").stdout.splitlines()
        found = [line.split() for line in lines]
        if any(words[1] != "RUNNING" for words in found):
            return set()
        return {int(words[3].rstrip(",")) for words in found}

    def change(self, old: str, new: str) -> Ended:
        """Edit the file, and have it taken in."""
        self.config.write_text(self.config.read_text().replace(old, new))
        return self.ctl("update")


@pytest.fixture(scope="module")
def programs() -> Path:
    """Supervisor's. Where they cannot be had, these tests are skipped, and fail in CI."""
    try:
        return install.from_pypi("supervisor==4.3.0")
    except install.Unavailable as error:
        if "CI" in os.environ:
            raise
        pytest.skip(f"Supervisor cannot be installed: {error}")


@pytest.fixture
def there(programs: Path) -> Iterator[Theirs]:
    """Supervisor on CONFIG."""
    with tempfile.TemporaryDirectory(prefix="super-", dir="/tmp") as name:
        theirs = Theirs(programs, Path(name))
        try:
            wait_until(lambda: len(theirs.pids()) == 2)
            child = int(wait_until(lambda: text_of(Path(name, "child")).strip()))
            yield theirs
        finally:
            theirs.process.terminate()
            theirs.process.wait(timeout=60)
        end_orphan(child)


def test_one_more_costs_all_of_them_there(there: Theirs) -> None:
    before = there.pids()
    assert "web: stopped" in there.change("numprocs=2", "numprocs=3").stdout
    after = wait_until(lambda: found if len(found := there.pids()) == 3 else None)
    assert not before & after


def test_t4_what_a_program_started_outlives_its_stop_there(there: Theirs) -> None:
    child = int(text_of(there.folder / "child"))
    assert there.ctl("stop", "tree").stdout == "tree: stopped\n"
    assert alive(child)


def test_a_file_that_is_wrong_changes_nothing_there(there: Theirs) -> None:
    before = there.pids()
    assert "CANT_REREAD" in there.change("numprocs=2", "numprocs=many").stdout
    assert there.pids() == before


def test_a_program_that_is_not_there_stops_the_others_there(there: Theirs) -> None:
    assert "web: stopped" in there.change("sleep 3631", "/opt/nope").stdout
    wait_until(lambda: "RUNNING" not in there.ctl("status", "web:*").stdout)


def test_here_none_of_this_happens(tmp_path: Path) -> None:
    """The same file, imported."""
    source = tmp_path / "supervisord.conf"
    source.write_text(CONFIG.replace("FOLDER", str(tmp_path)))
    text = run(*OUR_CIRCUSCTL, "import", "supervisor", str(source)).stdout
    daemon = Daemon(text).wait()
    try:
        ctl = Ctl(*OUR_CIRCUSCTL, endpoint=daemon.endpoint)
        before = daemon.wait_pids("web", 2)
        child = int(wait_until(lambda: text_of(tmp_path / "child").strip()))
        daemon.write(text.replace("numprocesses = 2", "numprocesses = 3"))
        ctl.done("reloadconfig --waiting")
        assert daemon.pids("web")[:2] == before
        ctl.done("stop tree --waiting")
        assert not alive(child)
        for wrong in (("numprocesses = 2", "numprocesses = many"), ("sleep 3631", "/opt/nope")):
            daemon.write(text.replace(*wrong))
            assert ctl("reloadconfig", "--waiting").returncode == 1
            assert daemon.pids("web")[:2] == before
    finally:
        daemon.stop()
