"""An example that runs as it stands, but for its ports."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.support import Daemon

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[2] / "examples"


class Run(Protocol):
    """Starts an example: its configuration, and what is to stand in its files for what is there."""

    def __call__(self, path: str, instead: dict[str, str] | None = None) -> Daemon: ...


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Starts an example in a copy of its folder, and ends it with the test."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    with contextlib.ExitStack() as ended:

        def run(path: str, instead: dict[str, str] | None = None) -> Daemon:
            folder = tmp_path / "example"
            shutil.copytree((EXAMPLES / path).parent, folder)
            for file in filter(Path.is_file, folder.iterdir()):
                text = file.read_text(encoding="utf-8")
                for there, here in (instead or {}).items():
                    text = text.replace(there, here)
                file.write_text(text, encoding="utf-8")
            daemon = Daemon((folder / Path(path).name).read_text(encoding="utf-8"), beside=folder)
            ended.callback(daemon.stop)
            return daemon.wait()

        yield run
