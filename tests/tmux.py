"""A terminal that can be read: a program in a tmux of its own."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping

WHOLE = {"TERM": "tmux-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PS1": "$ "}


class Screen:
    """A shell that runs one command first; closed with the block."""

    def __init__(
        self,
        *command: str,
        width: int = 80,
        height: int = 24,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="circus-", dir="/tmp")
        self._socket = str(Path(self._folder.name, "tmux"))
        self._env = {**(os.environ if environ is None else environ), **WHOLE}
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height),
                   "sh")  # fmt: skip
        self._tmux("set-option", "-g", "status", "off")
        self.resize(width, height)
        self.type(shlex.join(command), "Enter")

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server")
        self._folder.cleanup()

    def text(self) -> str:
        """What it shows."""
        return self._tmux("capture-pane", "-p")

    def raw(self) -> str:
        """The same with the escape sequences of its colours."""
        return self._tmux("capture-pane", "-p", "-e", "-N")

    def type(self, *keys: str) -> None:
        """Press keys: characters, or names as tmux has them."""
        self._tmux("send-keys", *keys)

    def scribble(self, text: str) -> None:
        """Write there past the program, as others may."""
        terminal = self._tmux("display-message", "-p", "#{pane_tty}").strip()
        Path(terminal).write_text(text)

    def resize(self, width: int, height: int) -> None:
        """Make it another size."""
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def shows(self, *texts: str) -> str:
        """What it shows, once all of these are there."""

        def found() -> str | None:
            shown = self.text()
            return shown if all(text in shown for text in texts) else None

        try:
            return str(wait_until(found))
        except AssertionError:
            raise AssertionError(f"not there: {texts}\n{self.text()}") from None

    def _tmux(self, *words: str) -> str:
        ended = subprocess.run(
            ["tmux", "-S", self._socket, *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            env=self._env,
        )
        return ended.stdout
