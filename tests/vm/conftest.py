"""One emulated machine for all tests; circus.service is as in tests/systemd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.systemd.conftest import prepared, unit
from tests.systemd.machine import staged
from tests.vm.machine import Emulated

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["machine", "unit"]


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """A machine with Circus installed, from the working tree."""
    folder = tmp_path_factory.mktemp("machine")
    booted = Emulated(staged(folder / "files"), folder / "console")
    prepared(booted)
    yield booted
    booted.stop()
