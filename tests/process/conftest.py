"""Fixtures that more than one folder of these tests uses."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from circus.sockets import CircusSockets

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name, because the path of a Unix socket may not be long."""
    path = Path(tempfile.mkdtemp(prefix="circus-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def sockets() -> Iterator[CircusSockets]:
    """Managed sockets, closed at the end."""
    found = CircusSockets()
    yield found
    found.close_all()
