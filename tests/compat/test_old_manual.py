"""The samples of the old manual, run as they are written."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from circus.client import CircusClient
from tests.compat.programs import Program
from tests.support import wait_until

if TYPE_CHECKING:
    from pathlib import Path

OLD_MANUAL = {
    "introduction": (
        """from circus import get_arbiter

arbiter = get_arbiter("myprogram", 4)
try:
    arbiter.start()
finally:
    arbiter.stop()
""",
        4,
    ),
    "library": (
        """from circus import get_arbiter

arbiter = get_arbiter({"cmd": "myprogram", "numprocesses": 3})
try:
    arbiter.start()
finally:
    arbiter.stop()
""",
        3,
    ),
}


def myprogram(folder: Path) -> None:
    """What the samples start; found on the path of the script, which `copy_env` would give."""
    program = folder / "myprogram"
    program.write_text("#!/bin/sh\nexec sleep 3600\n")
    program.chmod(0o755)


@pytest.mark.parametrize("name", OLD_MANUAL)
def test_a_sample_of_the_old_manual_runs_until_a_signal(home: Path, name: str) -> None:
    text, count = OLD_MANUAL[name]
    myprogram(home)
    # workers have no PATH of their own unless they are given one
    program = Program(home, text.replace('"myprogram"', f'"{home}/myprogram"'))
    client = CircusClient(endpoint=program.endpoint, timeout=30)
    wait_until(
        lambda: client.send_message("numprocesses", name="myprogram").get("numprocesses") == count
    )
    client.stop()
    program.process.send_signal(signal.SIGTERM)
    assert program.end() == (0, "", "")
