"""A cgroup per worker: create, is it empty, kill, usage.

All of them are below the cgroup of our unit, when systemd has delegated it: circusd itself in
`supervisor`, because a cgroup that is to hand out resources may hold no processes of its own, and
workers in `watcher-NAME/WID`. See cgroups(7) and https://systemd.io/CGROUP_DELEGATION.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import select
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from circus.exc import CircusError
from circus.gauges import group
from circus.host import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

SUPERVISOR = "supervisor"
LONGEST = 255
"""Bytes of a folder's name."""
ROUNDS = 100
"""So often all that is there is killed, where the kernel cannot kill a cgroup as a whole."""

PATIENCE = 10.0
"""Seconds that systemd has to answer."""


class Delegated:
    """The cgroup that is ours to divide. There is one of us: the second is refused."""

    def __init__(self, path: str, lock: int) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def take(cls) -> Self:
        """Find it, and move this process into its `supervisor`. Raises CircusError: why not.

        It may block: systemd is asked when it is a user's.
        """
        path = _own()
        if os.path.basename(path) == SUPERVISOR:  # we have been here before
            path = os.path.dirname(path)
        if not _is_delegated(path):
            raise CircusError(f"{path} is not delegated to us, as Delegate=yes in a unit does it")
        lock = -1
        try:
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = cls(path, lock)
            os.makedirs(found.supervisor.path, exist_ok=True)
            write(found.supervisor.procs, "0")
        except OSError as error:
            if lock >= 0:
                os.close(lock)
            if isinstance(error, BlockingIOError):
                raise CircusError(f"another circusd has divided {path}") from error
            raise CircusError(f"{path} cannot be divided: {error.strerror}") from error
        return found

    @property
    def supervisor(self) -> Leaf:
        """Where this process is, with what it starts for itself."""
        return Leaf(f"{self.path}/{SUPERVISOR}")

    def close(self) -> None:
        """Let another one have it."""
        os.close(self._lock)

    def make(self, watcher: str, wid: int) -> Leaf:
        """A new one for a worker. Raises OSError; FileExistsError: the last one is not empty."""
        leaf = Leaf(f"{self.path}/{folder_of(watcher)}/{wid}")
        try:
            os.makedirs(leaf.path)
        except FileExistsError:
            leaf.remove()  # what is left of the last one, and its folder may go with it
            os.makedirs(leaf.path)
        return leaf

    def leaves(self) -> list[Leaf]:
        """Those that are there, whoever made them."""
        return [
            Leaf(worker.path)
            for watcher in _folders(self.path)
            if watcher.name.startswith(group.WATCHER)
            for worker in _folders(watcher.path)
        ]


@dataclass(frozen=True, slots=True)
class Leaf:
    """The cgroup of one worker, with those that the worker made below it. May be gone."""

    path: str

    def __str__(self) -> str:
        return "/".join(self.path.rsplit("/", 2)[1:])

    @property
    def procs(self) -> str:
        """Who writes 0 there is in it from then on, with all that it starts."""
        return f"{self.path}/cgroup.procs"

    @property
    def events(self) -> str:
        """Where it is told that it is empty."""
        return f"{self.path}/cgroup.events"

    def populated(self) -> bool:
        """Whether anything may run in it; a zombie does not."""
        try:
            fd = os.open(self.events, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError:  # there is no descriptor left
            return True
        try:
            return not _is_empty(fd)
        finally:
            os.close(fd)

    def processes(self) -> list[tree.Found]:
        """Who is in it, as they were in a moment in which they were."""
        found = [tree.look(pid) for pid in self._pids()]
        still = set(self._pids())  # a pid that had become another's while we looked is not
        return [one for one in found if one is not None and one.pid in still]

    def signal(self, signum: int) -> None:
        """Signal everything in it."""
        for one in self.processes():
            tree.send(one, signum)

    def kill(self) -> None:
        """SIGKILL everything in it, also what is being forked at this moment."""
        try:
            write(f"{self.path}/cgroup.kill", "1")
        except OSError:  # before Linux 5.14
            for _ in range(ROUNDS):
                if not self.populated():
                    break
                self.signal(signal.SIGKILL)

    def freeze(self, *, on: bool) -> None:
        """Let nothing in it run, or let it run again. Raises OSError."""
        write(f"{self.path}/cgroup.freeze", str(int(on)))

    def usage(self) -> group.Usage:
        """What all in it have used and use."""
        return group.usage(self.path)

    def remove(self) -> bool:
        """Whether it is gone, and the folder of its watcher too if it was the last."""
        try:
            os.rmdir(self.path)
        except FileNotFoundError:
            pass
        except OSError:  # its worker made some below it, or it is not empty
            for folder in self._folders():
                with contextlib.suppress(OSError):
                    os.rmdir(folder)
            if os.path.exists(self.path):
                return False
        watcher = os.path.dirname(self.path)
        with contextlib.suppress(OSError):
            if os.stat(watcher).st_nlink == 2:  # to try it costs more: the kernel has one lock
                os.rmdir(watcher)
        return True

    def _folders(self) -> Iterator[str]:
        """With all below it, deepest first."""
        return (folder for folder, _, _ in os.walk(self.path, topdown=False))

    def _pids(self) -> list[int]:
        """Without those that this process cannot see; they are told as 0."""
        found = [group.read(f"{folder}/cgroup.procs").split() for folder in self._folders()]
        return [int(pid) for pids in found for pid in pids if pid != b"0"]


class Emptying:
    """Tells when leaves are empty; `fd` is readable when one may be. Nothing is polled."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, Leaf] = {}

    @property
    def fd(self) -> int:
        """Ours, for a loop to listen to."""
        return self._epoll.fileno()

    def watch(self, leaf: Leaf) -> None:
        """Until it is empty. Raises OSError when it is gone, or there is no descriptor left."""
        self._watched[listen(self._epoll, leaf.events)] = leaf

    def take(self) -> list[Leaf]:
        """Those that have become empty."""
        return [self._forget(fd) for fd, _ in self._epoll.poll(0) if _is_empty(fd)]

    def close(self) -> None:
        """Watch nothing more."""
        for fd in list(self._watched):
            self._forget(fd)
        self._epoll.close()

    def _forget(self, fd: int) -> Leaf:
        self._epoll.unregister(fd)
        os.close(fd)
        return self._watched.pop(fd)


def folder_of(watcher: str) -> str:
    """A name for a folder that no other watcher has, whatever characters are in its own."""
    name = group.WATCHER + quote(watcher, safe="@+:=,", errors="surrogatepass")
    if len(name) > LONGEST:
        digest = hashlib.sha256(watcher.encode(errors="surrogatepass")).hexdigest()
        name = f"{name[:200]}%%{digest[:32]}"  # "%%" is in no other
    return name


def _own() -> str:
    with open("/proc/self/cgroup") as cgroups, open("/proc/self/mountinfo") as mounts:
        return group.place(cgroups.read(), mounts.read())


def _is_delegated(path: str) -> bool:
    """Whether systemd has marked it; `user` is what those may read who are not root."""
    for name in ("trusted.delegate", "user.delegate"):
        with contextlib.suppress(OSError):
            if os.getxattr(path, name) == b"1":
                return True
    return _is_delegated_to_user(path)


def _is_delegated_to_user(path: str) -> bool:
    """The systemd of a user leaves no mark, at least up to version 252, but answers."""
    if not re.search(r"/user@\d+\.service/", path):
        return False
    asked = ["systemctl", "--user", "show", "--property=Delegate", "--value"]
    try:
        said = subprocess.run(
            [*asked, os.path.basename(path)], capture_output=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return said.stdout.strip() == b"yes"


def _is_empty(events: int) -> bool:
    try:
        return b"populated 1" not in os.pread(events, 200, 0)
    except OSError:  # it was removed
        return True


def _folders(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as found:
            return [one for one in found if one.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def listen(epoll: select.epoll, path: str) -> int:
    """Have the kernel tell when it changes a file of a cgroup: the file's descriptor, to close.

    It tells at once, until the file is read first. Raises OSError.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        epoll.register(fd, select.EPOLLPRI)
    except OSError:
        os.close(fd)
        raise
    return fd


def write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
