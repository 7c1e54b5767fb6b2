"""Restarts watchers whose program has changed on disk."""

from __future__ import annotations

import os
import shlex
import shutil
from typing import Any

from circus.config.plugins import PREFIX
from circus.plugins.statsd import BaseObserver


class CommandReloader(BaseObserver):
    """Looks at the file that is executed: the first word of `cmd`, found as the watcher finds it.

    A file that is not there is no change, and one that is seen for the first time is not either.
    """

    name = "command_reloader"

    def __init__(self, *args: Any, **config: Any) -> None:
        super().__init__(*args, **{"loop_rate": 1, **config})
        self.cmd_files: dict[str, dict[str, Any]] = {}

    def look_after(self) -> None:
        """Restart those that have changed since the last time."""
        names = [one for one in self.call("list")["watchers"] if not one.startswith(PREFIX)]
        self.cmd_files = {name: self.cmd_files[name] for name in names if name in self.cmd_files}
        for name in names:
            path = self._program(name)
            try:
                mtime = os.stat(path).st_mtime if path else None
            except OSError:
                mtime = None
            if path is None or mtime is None:
                continue
            changed = self.is_modified(name, mtime, path)
            self.cmd_files[name] = {"path": path, "mtime": mtime}
            if changed:
                self.call("restart", name=name)

    def is_modified(self, watcher: str, current_mtime: float, current_path: str) -> bool:
        """Whether it is another file than the last time, or has been written since."""
        before = self.cmd_files.get(watcher)
        if before is None:
            return False
        return bool(before["mtime"] != current_mtime or before["path"] != current_path)

    def _program(self, name: str) -> str | None:
        keys = ["cmd", "executable", "working_dir", "shell"]
        answer = self.call("get", name=name, keys=keys)
        options = answer.get("options", {})
        if options.get("shell"):
            return None  # the shell, which is not what would change
        try:
            word = options.get("executable") or next(iter(shlex.split(options.get("cmd") or "")))
        except (ValueError, StopIteration):
            return None
        if "/" in word:
            return os.path.realpath(os.path.join(options.get("working_dir") or "", word))
        return os.path.realpath(shutil.which(word) or word)
