"""Fixtures for programs that embed Circus."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from circus import get_arbiter
from circus.arbiter import ThreadedArbiter
from tests.compat.programs import SLEEP
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a short name, where an arbiter of this test listens."""
    folder = Path(tempfile.mkdtemp(prefix="circus-", dir="/tmp"))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(folder))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def arbiter(home: Path) -> Iterator[ThreadedArbiter]:
    """One that runs in the background."""
    made = get_arbiter([dict(SLEEP)], background=True)
    assert isinstance(made, ThreadedArbiter)
    made.start()
    wait_until(lambda: made.statuses() == {"web": "active"})
    yield made
    made.stop()
