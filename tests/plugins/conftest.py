"""A circusd with plugins."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.daemon.conftest import circusd as circusd
from tests.support import wait_until

if TYPE_CHECKING:
    from tests.support import Daemon

ROOT = Path(__file__).parents[2]
SEED = ROOT / "tests" / "compat" / "ini" / "seed-logger.py.txt"
"""The plugin of the documentation, as it stands there."""
WATCHER = "[watcher:w]\ncmd = sleep 3600\n"


@pytest.fixture(autouse=True)
def plugins_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of tests/plugins/written, and `mine.Logger`."""
    (tmp_path / "mine.py").write_text(SEED.read_text())
    known = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT), known]))


def told(daemon: Daemon) -> list[dict[str, Any]]:
    """What the plugins of tests/plugins/written/told.py have written to the file `told`."""
    return [json.loads(line) for line in daemon.file("told").splitlines()]


def replaced(daemon: Daemon, name: str, pid: int) -> None:
    """Return once another worker has the place of this one."""
    wait_until(lambda: daemon.pids(name) not in ([], [pid]))
