"""Programs under the names that scripts and units call them by."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from circus import __version__


@pytest.mark.parametrize("program", ["circusd", "circusctl"])
def test_a_program_has_its_entry_point(program: str) -> None:
    (entry,) = entry_points(group="console_scripts", name=program)
    assert entry.value == f"circus.{program}:main"
    assert callable(entry.load())


@pytest.mark.parametrize(
    ("module", "printed"),
    [("circus.circusd", __version__), ("circus.circusctl", f"circusctl {__version__}")],
)
def test_a_program_runs_as_a_module_too(module: str, printed: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", module, "--version"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout == f"{printed}\n"


def test_circusd_without_a_file_tells_how_to_use_it() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "circus.circusd"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout.startswith("usage: circusd")
