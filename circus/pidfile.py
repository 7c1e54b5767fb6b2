"""A file with our pid in it, for those who still want one; nothing of ours reads it."""

from __future__ import annotations

import contextlib
import os

from circus.exc import CircusError


class Pidfile:
    """Made with `create`, taken away with `unlink` if it is still ours."""

    def __init__(self, fname: str) -> None:
        self.fname = fname
        self.pid: int | None = None

    def create(self, pid: int) -> None:
        """Write it, mode 0644. Raises CircusError when a living process holds it."""
        holder = self.validate()
        if holder is not None and holder != pid:
            raise CircusError(
                f"cannot write pid file {self.fname!r}: it belongs to the running process {holder}"
            )
        try:
            with open(self.fname, "w", encoding="ascii") as file:
                file.write(f"{pid}\n")
            os.chmod(self.fname, 0o644)
        except OSError as error:
            raise CircusError(f"cannot write pid file {self.fname!r}: {error.strerror}") from error
        self.pid = pid

    def validate(self) -> int | None:
        """The pid of the living process that the file names, if there is one."""
        try:
            with open(self.fname, encoding="ascii") as file:
                pid = int(file.read(32))
        except (OSError, ValueError):
            return None
        try:
            os.kill(pid, 0)
        except PermissionError:
            return pid  # it lives, under another user
        except (OSError, OverflowError):
            return None
        return pid

    def unlink(self) -> None:
        """Remove it if it still holds our pid."""
        with contextlib.suppress(OSError, ValueError):
            with open(self.fname, encoding="ascii") as file:
                ours = int(file.read(32)) == self.pid
            if ours:
                os.unlink(self.fname)
