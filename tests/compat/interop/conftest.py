"""Circus 0.19.0 from PyPI, in an environment of its own that outlives the tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from benchmarks import install
from tests.compat.interop.peer import Old

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def old() -> Old:
    """Its programs. Where they cannot be had, these tests are skipped, and fail in CI."""
    try:
        programs: Path = install.from_pypi(*install.CIRCUS_019)
    except install.Unavailable as error:
        if "CI" in os.environ:
            raise
        pytest.skip(f"circus 0.19.0 cannot be installed: {error}")
    return Old(programs)
