"""What the README and the page on circusctl show, word for word."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start

ROOT = Path(__file__).parents[2]


def tour(page: str) -> list[tuple[str, str]]:
    """(command, what it prints) of every console block."""
    text = (ROOT / page).read_text(encoding="utf-8")
    steps: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = step.partition("\n")
            steps.append((command, output))
    return steps


def test_the_tour_holds(circusd: Start) -> None:
    daemon = circusd((ROOT / "examples" / "quickstart.ini").read_text(encoding="utf-8"))
    wait_until(lambda: set(daemon.call("status")["statuses"].values()) == {"active"})
    steps = tour("README.md")
    assert len(steps) >= 8
    for command, output in steps:
        program, *arguments = shlex.split(command)
        assert program == "circusctl"
        ended = daemon.ctl(*arguments)
        assert (ended.stdout, ended.stderr, ended.returncode) == (output, "", 0), command
    assert daemon.process.wait(timeout=30) == 0


def test_several_watchers_as_the_page_shows_them(circusd: Start) -> None:
    page = ROOT / "docs" / "circusctl.md"
    (config,) = re.findall(r"```ini\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    daemon = circusd(config)
    wait_until(lambda: set(daemon.call("status")["statuses"].values()) == {"active"})
    statuses = []
    for command, output in tour("docs/circusctl.md"):
        _, *arguments = shlex.split(command)
        ended = daemon.ctl(*arguments)
        assert ended.stdout + ended.stderr == output, command
        statuses.append(ended.returncode)
    assert statuses == [0] * (len(statuses) - 1) + [3]
