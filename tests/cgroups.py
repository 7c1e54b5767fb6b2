"""A cgroup to divide, as systemd would delegate it, without a systemd."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from circus.gauges.group import place
from circus.host.cgroup import Leaf
from tests.support import Daemon

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = itertools.count(1)


@contextlib.contextmanager
def delegated() -> Iterator[str]:
    """Its folder. AssertionError when something is left in it; only root can make one."""
    cgroups, mounts = (Path(f"/proc/self/{name}").read_text() for name in ("cgroup", "mountinfo"))
    path = f"{place(cgroups, mounts)}/test-{os.getpid()}-{next(NUMBERS)}"
    os.mkdir(path)
    try:
        os.setxattr(path, "trusted.delegate", b"1")
        yield path
    finally:
        whole = Leaf(path)
        left = whole.processes()
        whole.kill()
        whole.remove()
    assert left == []


def put(folder: str, *command: str) -> subprocess.Popen[bytes]:
    """Start a program in a cgroup; it is there when this returns."""
    enter = 'echo 0 >"$0/cgroup.procs" && echo && exec "$@"'
    started = subprocess.Popen(["sh", "-c", enter, folder, *command], stdout=subprocess.PIPE)
    assert started.stdout is not None
    assert started.stdout.readline() == b"\n"
    started.stdout.close()
    return started


class Divider(Daemon):
    """A circusd that may divide the cgroup that it is started in."""

    def __init__(self, cgroup: str, text: str) -> None:
        self.cgroup = cgroup
        super().__init__(text)

    def _program(self, uid: int) -> list[str]:
        enter = ["sh", "-c", 'echo 0 >"$0/cgroup.procs" && exec "$@"', self.cgroup]
        return [*enter, *super()._program(uid)]

    def inside(self, folder: str) -> set[int]:
        """Pids of those in a cgroup below; none when there is no such cgroup."""
        return {one.pid for one in Leaf(f"{self.cgroup}/{folder}").processes()}
