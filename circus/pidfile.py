"""A file with our pid in it, for those who still want one; nothing of ours reads it.

The number in such a file means nothing by itself: after a crash or a reboot another process may
have it. So whoever writes one keeps it locked as long as it lives; and where nobody has, as circus
0.19 does not, a process that is younger than the file cannot be the one that it means.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time

from circus.exc import CircusError


class Pidfile:
    """Made with `create`, taken away with `unlink` if it is still ours.

    Without `fname`, `create` makes one in the temporary folder and sets it.
    """

    perm_mode = 0o644

    def __init__(self, fname: str | None = None) -> None:
        self.fname = fname
        self.pid: int | None = None
        self._fd = -1

    def create(self, pid: int) -> None:
        """Write it. Raises CircusError when it cannot be, or a living process holds it."""
        if self.fname is None:
            import tempfile  # rarely

            handle, self.fname = tempfile.mkstemp(prefix="circus-", suffix=".pid")
            os.close(handle)
        self._release()
        try:
            fd = _open(self.fname, self.perm_mode)
        except OSError as error:
            folder = os.path.dirname(self.fname) or "."
            missing = f"there is no folder {folder!r}; make it first"
            reason = error.strerror if os.path.isdir(folder) else missing
            raise CircusError(f"cannot write pid file {self.fname!r}: {reason}") from error
        holder = _holder(fd)
        if holder is not None and holder != pid:
            os.close(fd)
            raise CircusError(
                f"cannot write pid file {self.fname!r}: it belongs to the running process {holder}"
            )
        os.fchmod(fd, self.perm_mode)
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{pid}\n".encode(), 0)
        self.pid, self._fd = pid, fd

    def rename(self, path: str) -> None:
        """Go on at another path."""
        self.unlink()
        self.fname = path
        if self.pid is not None:
            self.create(self.pid)

    def validate(self) -> int | None:
        """The pid of the living process that the file belongs to, if there is one."""
        if self.fname is None:
            return None
        try:
            fd = os.open(self.fname, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            return _holder(fd)
        finally:
            os.close(fd)

    def unlink(self) -> None:
        """Remove it unless it holds the pid of another."""
        if self.fname is None:
            return
        with contextlib.suppress(OSError):
            with open(self.fname, encoding="ascii", errors="replace") as file:
                text = file.read(32).strip()
            if not text.isdecimal() or int(text) == self.pid:
                os.unlink(self.fname)
        self._release()

    def _release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _open(path: str, mode: int) -> int:
    """The file that has this path, locked unless somebody has it or it cannot be."""
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, mode)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise OSError(errno.EINVAL, "it is not a regular file")
            _lock(fd)
            if os.path.samestat(os.fstat(fd), os.stat(path)):
                return fd
        except FileNotFoundError:
            pass  # whoever had it has removed it
        except OSError:
            os.close(fd)
            raise
        os.close(fd)


def _lock(fd: int) -> bool:
    """Whether it is ours, or cannot be anybody's: not every file system has locks."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _holder(fd: int) -> int | None:
    """The pid in it, if it is that of a living process that the file belongs to."""
    try:
        pid = int(os.pread(fd, 32, 0))
    except (OSError, ValueError):
        return None
    if not _lock(fd):
        return pid
    return pid if pid > 0 and _is_older(pid, os.fstat(fd).st_mtime) else None


def _is_older(pid: int, moment: float) -> bool:
    """Whether a process lives that was started before `moment`, epoch seconds."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            state, *fields = file.read().rpartition(")")[2].split()
    except (OSError, ValueError):
        return False
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[18]) / os.sysconf("SC_CLK_TCK")
    return state not in "ZX" and time.time() - age <= moment
