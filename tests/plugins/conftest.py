"""A circusd with plugins."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.daemon.conftest import circusd as circusd

if TYPE_CHECKING:
    from tests.support import Daemon

ROOT = Path(__file__).parents[2]
SEED = """
from circus.plugins import CircusPlugin


class Logger(CircusPlugin):

    name = 'logger'

    def __init__(self, filename, **kwargs):
        super(Logger, self).__init__(**kwargs)
        self.filename = filename
        self.file = None

    def handle_init(self):
        self.file = open(self.filename, 'a+')

    def handle_stop(self):
        self.file.close()

    def handle_recv(self, data):
        topic, msg = data
        self.file.write('%s::%s' % (topic, msg))
"""
"""As it stands in the documentation."""
WATCHER = "[watcher:w]\ncmd = sleep 3600\n"


@pytest.fixture(autouse=True)
def plugins_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of tests/plugins/written, and `mine.Logger`."""
    (tmp_path / "mine.py").write_text(SEED)
    known = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT), known]))


def told(daemon: Daemon) -> list[dict[str, Any]]:
    """What the plugins of tests/plugins/written/told.py have written to the file `told`."""
    return [json.loads(line) for line in daemon.file("told").splitlines()]
