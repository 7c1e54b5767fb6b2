"""A file with our pid in it, for those who still want one; nothing of ours reads it."""

from __future__ import annotations

import contextlib
import os

from circus.exc import CircusError


class Pidfile:
    """Made with `create`, taken away with `unlink` if it is still ours.

    Without `fname`, `create` makes one in the temporary folder and sets it.
    """

    perm_mode = 0o644

    def __init__(self, fname: str | None = None) -> None:
        self.fname = fname
        self.pid: int | None = None

    def create(self, pid: int) -> None:
        """Write it. Raises CircusError when a living process holds it."""
        if self.fname is None:
            import tempfile  # rarely

            handle, self.fname = tempfile.mkstemp(prefix="circus-", suffix=".pid")
            os.close(handle)
        holder = self.validate()
        if holder is not None and holder != pid:
            raise CircusError(
                f"cannot write pid file {self.fname!r}: it belongs to the running process {holder}"
            )
        try:
            with open(self.fname, "w", encoding="ascii") as file:
                file.write(f"{pid}\n")
            os.chmod(self.fname, self.perm_mode)
        except OSError as error:
            raise CircusError(f"cannot write pid file {self.fname!r}: {error.strerror}") from error
        self.pid = pid

    def rename(self, path: str) -> None:
        """Go on at another path."""
        self.unlink()
        self.fname = path
        if self.pid is not None:
            self.create(self.pid)

    def validate(self) -> int | None:
        """The pid of the living process that the file names, if there is one."""
        if self.fname is None:
            return None
        try:
            with open(self.fname, encoding="ascii") as file:
                pid = int(file.read(32))
        except (OSError, ValueError):
            return None
        try:
            if pid <= 0:
                return None
            os.kill(pid, 0)
        except PermissionError:
            return pid  # it lives, under another user
        except (OSError, OverflowError):
            return None
        return pid

    def unlink(self) -> None:
        """Remove it unless it holds the pid of another."""
        if self.fname is None:
            return
        with contextlib.suppress(OSError):
            with open(self.fname, encoding="ascii", errors="replace") as file:
                text = file.read(32).strip()
            if not text.isdecimal() or int(text) == self.pid:
                os.unlink(self.fname)
