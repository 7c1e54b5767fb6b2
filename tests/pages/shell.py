"""A bash for a page, in namespaces of its own or in a machine."""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.pages.page import TREE
from tests.support import children, text_of

if TYPE_CHECKING:
    from types import TracebackType

APART = ["unshare", "--mount", "--net", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc"]
ROOM = """
set -e
ip link set lo up
mount -t tmpfs -o mode=755 tmpfs /run
over() {  # a folder stays as it is, whatever is written there
    mkdir -p "$2" "/run/page/$3/upper" "/run/page/$3/work"
    mount -t overlay -o "lowerdir=$1,upperdir=/run/page/$3/upper,workdir=/run/page/$3/work" \
        overlay "$2"
}
for folder in etc opt srv usr var; do over /$folder /$folder $folder; done
over "$1" /run/page/mounted tree
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /dev/shm
mkdir -p "$1"  # it may be below /tmp
mount --bind /run/page/mounted "$1"
over "$2" "$1/.venv" venv
touch "$1/.venv/.ready"  # as make has prepared it
# as the packages circus and redis-server have it
mkdir -p /usr/share/doc/circus
ln -sfn "$1/examples" /usr/share/doc/circus/examples
test -e /usr/bin/redis-server || ln -s redis-check-rdb /usr/bin/redis-server
exec bash --norc
"""
"""Makes a room for a page out of this machine: with nothing in /run and /tmp, with only lo, and
whatever is written to other folders is gone afterwards."""
FOLDER = "/tmp/page"
"""Where a page of the documentation is carried out there."""
PATH = f"{sys.prefix}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Stuck(Exception):
    """A command has not ended in time, or has ended the shell."""


class Shell:
    """A bash that does what it is told, one command after the other; it keeps its variables.

    What a command prints goes to a file of its own: programs that it left in the background may
    still write there when it has ended.
    """

    def __init__(self, enter: list[str], folder: str, environ: dict[str, str]) -> None:
        self._numbers = itertools.count()
        self._folder = "/run/page"
        self._bash = subprocess.Popen(
            enter,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env=environ,
        )
        try:
            self._tell(f"set -m; mkdir -p {self._folder} {folder}; cd {folder}", 30)
        except Stuck:
            self.close()
            raise

    def __enter__(self) -> Shell:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it, and in a room all that it has started."""
        # first what is inside: an orphan that nobody waits for would keep a machine from its end
        for pid in children(self._bash.pid) or [self._bash.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._bash.communicate()

    def _tell(self, command: str, limit: float) -> int:
        """The status of a command. Stuck after `limit` seconds, or when bash has ended."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        assert self._bash.stderr is not None
        with contextlib.suppress(BrokenPipeError):  # it says why below
            self._bash.stdin.write(f"{command}; echo $?\n".encode())
        if not select.select([self._bash.stdout], [], [], limit)[0]:
            raise Stuck(f"has not ended within {limit:g} s")
        if not (said := self._bash.stdout.readline()):
            raise Stuck(f"has ended the shell: {self._bash.stderr.read().decode()}")
        return int(said)

    def run(self, command: str, *, limit: float = 60) -> tuple[int, str]:
        """The status of a command and what it printed. Stuck after `limit` seconds."""
        status, number = self._do(command, limit)
        return status, self.output(number)

    def start(self, command: str) -> int:
        """Run a command in the background, where `$!` is its pid; the number of its output."""
        return self._do(f"{command} & disown", 30)[1]  # bash is not to tell of its end

    def _do(self, command: str, limit: float) -> tuple[int, int]:
        """The status of a command and the number of its output."""
        number = next(self._numbers)
        line = f"eval {shlex.quote(command)} </dev/null >{self._folder}/{number} 2>&1"
        try:
            return self._tell(line, limit), number
        except Stuck as stuck:
            raise Stuck(f"{stuck}\n{self.output(number)}") from None

    def write(self, path: str, text: str) -> None:
        """A file, with its folder."""
        name = shlex.quote(path)
        given = f'mkdir -p "$(dirname {name})" && printf %s {shlex.quote(text)} >{name}'
        status, said = self.run(given)
        assert status == 0, said

    def output(self, number: int) -> str:
        """What a command has printed so far."""
        inside = children(self._bash.pid)
        if not inside:  # all of it has ended
            return ""
        return text_of(Path(f"/proc/{inside[0]}/root{self._folder}/{number}"))


def room(folder: str = FOLDER) -> Shell:
    """A bash in a room of its own; needs root."""
    environ = {"PATH": PATH, "HOME": folder, "LC_ALL": "C.UTF-8"}
    if "PYTHONPATH" in os.environ:  # another tree than that which is installed
        environ["PYTHONPATH"] = os.environ["PYTHONPATH"]
    return Shell([*APART, "sh", "-c", ROOM, "room", str(TREE), sys.prefix], folder, environ)
