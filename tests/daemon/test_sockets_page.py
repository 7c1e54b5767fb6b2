"""The examples of docs/sockets.md, each run as it stands but for its port and folder."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.daemon.test_sockets import APPLICATION, GET, answer
from tests.support import wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start

PAGE = (Path(__file__).parents[2] / "docs" / "sockets.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^## (.*?)$|^```ini\n(.*?)^```", f"## First\n{PAGE}", re.M | re.S)


def examples() -> list[tuple[str, str]]:
    """(the section it stands in, the file)."""
    found, section = [], ""
    for title, text in EXAMPLES:
        section = title or section
        if text:
            found.append((section, text))
    return found


@pytest.mark.parametrize(("section", "text"), examples())
def test_an_example_serves(
    circusd: Start, monkeypatch: pytest.MonkeyPatch, section: str, text: str
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    text = text.replace("port = 8000", "port = 0").replace("/run/", "FOLDER/")
    text = text.replace("copy_env = True", "copy_env = True\nworking_dir = FOLDER")
    daemon = circusd("[watcher:idle]\ncmd = sleep 3600\n")
    (daemon.folder / "application.py").write_text(APPLICATION)
    daemon.write(text)
    assert daemon.call("reloadconfig", waiting=True)["status"] == "ok"
    if "on_demand" in text:
        assert daemon.pids("web") == []
    else:
        wait_until(lambda: daemon.call("status", name="web")["status"] == "active")
    assert "200 OK" in answer(daemon, "web", GET)
