"""What docs/migrate/circus-0.19.md says is different: one file, both daemons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.compat.interop.peer import OUR_CIRCUSCTL, Ctl, Old, OldDaemon, end_orphan
from tests.support import Daemon, alive, text_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = """
[watcher:web]
cmd = sleep 3621
numproceses = 3
[watcher:tree]
cmd = sh -c 'sleep 3622 & echo $! > FOLDER/child; wait'
"""


class Side:
    """One of both, with its own circusctl."""

    def __init__(self, daemon: Daemon | OldDaemon, ctl: Ctl) -> None:
        self.ctl = ctl
        self._folder = daemon.folder
        self.log = daemon.log

    def child(self) -> int:
        """What the worker of `tree` has started."""
        return int(wait_until(lambda: text_of(self._folder / "child").strip()))

    def replace_program(self, path: str) -> None:
        """The file asks for another one as `web`."""
        config = self._folder / "circus.ini"
        config.write_text(config.read_text().replace("sleep 3621", path))


@pytest.fixture
def here() -> Iterator[Side]:
    """This Circus."""
    daemon = Daemon(CONFIG)
    try:
        yield Side(daemon.wait(), Ctl(*OUR_CIRCUSCTL, endpoint=daemon.endpoint))
    finally:
        daemon.stop()


@pytest.fixture
def there(old: Old, here: Side) -> Iterator[Side]:
    """Circus 0.19.0. It ends before ours, which looks for what is left over."""
    del here
    daemon = OldDaemon(old, f"check_delay = 0.2\n{CONFIG}")
    side = Side(daemon, old.ctl(daemon.endpoint))
    try:
        daemon.wait()
        child = side.child()
        yield side
    finally:
        daemon.stop()
    end_orphan(child)


def test_t4_what_a_worker_started_outlives_its_stop_there_only(here: Side, there: Side) -> None:
    left = there.child(), here.child()
    for side in (there, here):
        side.ctl.done("stop tree --waiting")
    assert [alive(pid) for pid in left] == [True, False]


def test_a_program_that_is_not_there_stops_what_runs_there_only(here: Side, there: Side) -> None:
    for side in (there, here):
        side.replace_program("/opt/nope")
    there.ctl.done("reloadconfig --waiting")
    wait_until(lambda: there.ctl.done("status web") == "stopped")
    refused = here.ctl("reloadconfig", "--waiting")
    assert refused.returncode == 1
    assert "cmd: '/opt/nope' does not exist" in refused.stderr
    assert here.ctl.done("status web") == "active"


def test_an_option_that_is_misspelt_is_told_here_only(here: Side, there: Side) -> None:
    for side in (there, here):
        assert side.ctl.done("numprocesses web") == "1"
    assert "unknown option 'numproceses', did you mean 'numprocesses'?" in text_of(here.log)
    assert "numproceses" not in text_of(there.log)
