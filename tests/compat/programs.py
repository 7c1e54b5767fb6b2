"""Programs that embed Circus, as scripts of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support import children

ROOT = Path(__file__).parents[2]

SLEEP = {"name": "web", "cmd": "sleep 3600", "numprocesses": 2}
"""A watcher."""


class Program:
    """A script that runs in `folder`, where its arbiter listens too."""

    def __init__(self, folder: Path, text: str, *arguments: str) -> None:
        script = folder / "program.py"
        script.write_text(text, encoding="utf-8")
        self.folder = folder
        self.endpoint = f"ipc://{folder}/control"
        self._before = set(children(os.getpid()))
        self.process = subprocess.Popen(
            [sys.executable, str(script), *arguments],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "RUNTIME_DIRECTORY": str(folder),
                "PYTHONPATH": str(ROOT),
                "PATH": f"{folder}:/usr/bin:/bin",
            },
        )

    def line(self) -> str:
        """The next line that it prints; blocks."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def type(self, text: str) -> None:
        """Let it read this."""
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def end(self) -> tuple[int, str, str]:
        """Status and what was printed, once it has ended; nothing that it started may be left."""
        try:
            out, err = self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        assert "Traceback" not in err, err
        assert set(children(os.getpid())) <= self._before
        return self.process.returncode, out, err
