"""Socket files: who may make one at a path, what may be replaced there, and with which mode.

A bind of ZeroMQ takes a path away from a daemon that lives, and from a regular file. So nothing
is bound before the lock beside the path is ours, and nothing but a dead socket is removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import stat

from circus.config.rules import SOCKET_PATH
from circus.endpoints import default_directory
from circus.exc import CircusError, ConflictError
from circus.host.socketfile import PRIVATE, Access, SocketFile, clear_dead


class PathLock:
    """The right to make a socket at `path`, from `acquire` to `release`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = -1

    def acquire(self) -> None:
        """Lock, and clear a dead socket away. Raises ConflictError or CircusError."""
        _check_name(self.path)
        try:
            self._fd = _lock(f"{self.path}.lock")
            clear_dead(self.path)
        except OSError as error:
            self.release()
            raise CircusError(f"cannot use {self.path}: {error.strerror or error}") from error
        except CircusError:
            self._close()
            raise

    def release(self) -> None:
        """Give the lock back and remove its file. Does nothing when it is not held."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.unlink(f"{self.path}.lock")
            self._close()

    def remove_socket(self) -> None:
        """Remove what was bound at the path; call it while the lock is held."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                if stat.S_ISSOCK(os.lstat(self.path).st_mode):
                    os.unlink(self.path)

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def listen_at(path: str, access: Access, backlog: int) -> int:
    """A descriptor that listens at a path, whose file was never wider than it is to be.

    Nobody can connect before the file has its owner and its mode. Raises OSError, CircusError.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as sock:
        SocketFile(sock, path, Access(mode=PRIVATE))
        access.give(path)
        sock.listen(backlog)
        return sock.detach()


def make_own_directory(path: str) -> None:
    """Make the folder of `path` where it is that of this user's daemon. Raises CircusError."""
    uid = os.geteuid()
    folder = default_directory(os.environ, uid)
    if os.path.dirname(path) == folder:
        make_directory(folder, uid)


def make_directory(path: str, uid: int) -> None:
    """Make a daemon's own folder, private unless it is the system's. Raises CircusError.

    A folder that is there already must belong to `uid` or to root, and not be open to everybody.
    """
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o755 if uid == 0 else 0o700)
        found = os.lstat(path)
    except OSError as error:
        raise CircusError(f"cannot make {path}: {error.strerror or error}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise CircusError(f"cannot use {path}: it is not a directory")
    if found.st_uid not in (uid, 0) or found.st_mode & 0o002:
        raise CircusError(f"cannot use {path}: others may write to it")


def _check_name(path: str) -> None:
    if not path or path[0] in "@*":
        raise CircusError(
            f"cannot use 'ipc://{path}': a socket needs a file, which has permissions"
        )
    length = len(os.fsencode(path))
    if length > SOCKET_PATH:
        raise CircusError(
            f"cannot use {path}: the path is {length} bytes long, a socket's may have {SOCKET_PATH}"
        )


def _lock(path: str) -> int:
    """A locked descriptor of the file that has this path now."""
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(fd, path):
                os.ftruncate(fd, 0)
                os.write(fd, f"{os.getpid()}\n".encode())
                return fd
        except BlockingIOError:
            holder = os.read(fd, 20).decode("ascii", "replace").strip()
            os.close(fd)
            who = f" (pid {holder})" if holder.isdigit() else ""
            raise ConflictError(
                f"cannot use {path.removesuffix('.lock')}: another circusd{who} serves it"
            ) from None
        except OSError:
            os.close(fd)
            raise
        os.close(fd)  # the holder removed it while we waited our turn


def _is_at(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except FileNotFoundError:
        return False
