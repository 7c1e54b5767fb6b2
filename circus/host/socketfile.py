"""The files of Unix sockets: made with their final mode, and never taken from who still listens.

No lock is needed: whether a file is in use is asked of the kernel, and a dead one is moved out of
the way before it is removed, so that of two who do this at once none removes what the other made.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import socket
import stat
from dataclasses import dataclass

from circus.exc import CircusError, ConflictError

PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Access:
    """Who may connect; None for what the file has by itself."""

    uid: int | None = None
    gid: int | None = None
    mode: int | None = None

    def give(self, path: str) -> None:
        """Apply it to the socket at `path`; in between it is nobody else's. Raises OSError."""
        fd = _opened(path)
        same = f"/proc/self/fd/{fd}"
        try:
            now = os.fstat(fd)
            uid = now.st_uid if self.uid is None else self.uid
            gid = now.st_gid if self.gid is None else self.gid
            before = stat.S_IMODE(now.st_mode)
            mode = before if self.mode is None else self.mode
            if (uid, gid) != (now.st_uid, now.st_gid):
                os.chmod(same, PRIVATE)
                os.chown(same, uid, gid)
                before = PRIVATE
            if mode != before:
                os.chmod(same, mode)
        finally:
            os.close(fd)


class SocketFile:
    """What a socket of ours was bound to; `path` changes when it takes another's place."""

    def __init__(self, sock: socket.socket, path: str, access: Access) -> None:
        """Bind. Raises OSError, or CircusError when the path is in use."""
        self.path = path
        # The file gets the mode of the socket less the umask, so nobody is let in meanwhile, and
        # the umask, which belongs to every thread, stays what it is.
        os.fchmod(sock.fileno(), 0o777 if access.mode is None else access.mode)
        try:
            sock.bind(path)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            clear_dead(path)
            sock.bind(path)
        self._identity = _identity(path)
        try:
            access.give(path)
        except OSError:
            self.remove()
            raise

    @property
    def there(self) -> bool:
        """Whether it is still at its path, and not what somebody else put there."""
        try:
            return _identity(self.path) == self._identity
        except OSError:
            return False

    def access(self) -> Access:
        """What it has now. Raises OSError, also when somebody else's is at its path."""
        if not self.there:
            raise FileNotFoundError(errno.ENOENT, "it is not there any more", self.path)
        found = os.lstat(self.path)
        return Access(found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode))

    def remove(self) -> None:
        """Remove it, if it is still there."""
        if self.there:
            with contextlib.suppress(OSError):
                os.unlink(self.path)


class Takeover:
    """A path passes from one socket of ours to another, and back; it is never without one."""

    def __init__(self, old: SocketFile, new: SocketFile) -> None:
        """`new` waits beside `old`. Raises OSError."""
        self._old = old
        self._new = new
        self._path, self._waiting = old.path, new.path
        self._spare = beside(old.path)
        os.link(old.path, self._spare, follow_symlinks=False)

    def forth(self) -> None:
        """From now on connections come to the new one."""
        os.replace(self._waiting, self._path)
        self._old.path, self._new.path = self._spare, self._path

    def back(self) -> None:
        """To the old one again."""
        os.link(self._path, self._waiting, follow_symlinks=False)
        os.replace(self._spare, self._path)
        self._old.path, self._new.path = self._path, self._waiting

    def forget(self) -> None:
        """Nothing is to be taken any more."""
        if self._old.path == self._path:
            with contextlib.suppress(OSError):
                os.unlink(self._spare)


def beside(path: str) -> str:
    """A name in the same folder that nobody has."""
    return os.path.join(os.path.dirname(path), f".{secrets.token_hex(4)}")


def clear_dead(path: str) -> None:
    """Make room at `path`: only a socket that nobody has open any more is removed.

    Raises CircusError, ConflictError when somebody has it, OSError.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise CircusError(f"cannot use {path}: there is something that is not a socket")
    _refuse_living(path, path)
    taken = beside(path)
    os.rename(path, taken)
    try:
        _refuse_living(taken, path)
    except ConflictError:  # bound in this very moment
        os.link(taken, path, follow_symlinks=False)
        raise
    finally:
        os.unlink(taken)


def _refuse_living(path: str, called: str) -> None:
    """A datagram probe: it finds any socket that is open, and none of them notices it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        outcome = probe.connect_ex(path)
    if outcome not in (errno.ECONNREFUSED, errno.ENOENT):
        raise ConflictError(f"cannot use {called}: another program listens on it")


def _identity(path: str) -> tuple[int, int]:
    found = os.lstat(path)
    return found.st_dev, found.st_ino


def _opened(path: str) -> int:
    """A descriptor to name the socket at `path` by; no link is followed to something else."""
    fd = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    if not stat.S_ISSOCK(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.ENOTSOCK, os.strerror(errno.ENOTSOCK))
    return fd
