"""The tour of the README, word for word."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start

ROOT = Path(__file__).parents[2]


def tour() -> list[tuple[str, str]]:
    """(command, what it prints) of every console block."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    steps: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = step.partition("\n")
            steps.append((command, output))
    return steps


def test_the_tour_holds(circusd: Start) -> None:
    daemon = circusd((ROOT / "examples" / "quickstart.ini").read_text(encoding="utf-8"))
    wait_until(lambda: set(daemon.call("status")["statuses"].values()) == {"active"})
    steps = tour()
    assert len(steps) >= 8
    for command, output in steps:
        program, *arguments = shlex.split(command)
        assert program == "circusctl"
        ended = daemon.ctl(*arguments)
        assert (ended.stdout, ended.stderr, ended.returncode) == (output, "", 0), command
    assert daemon.process.wait(timeout=30) == 0
