"""Sockets of another machine at hand here, through the OpenSSH client of the system.

Configuration, keys, agent and questions are the ones that the user knows from `ssh`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
from typing import TYPE_CHECKING

from circus.endpoints import ipc_path, ssh_destination
from circus.exc import CallError

if TYPE_CHECKING:
    from collections.abc import Callable

SSH = "CIRCUS_SSH"
"""Environment variable: the program to run instead of `ssh`, with options of its own."""

PATIENCE = 10.0
"""Seconds for what happens once the server has let us in."""

_PATH = re.compile(r"/[\w./@+ -]+")
"""What ssh takes as it stands; it would read `:`, `%` and `$` as something else."""
_CHANNEL = re.compile(r"^channel \d+: ")
_HOST_PORT = re.compile(r"([\w.-]+|\[[\w.:]+\]):\d+", re.ASCII)
_WILDCARDS = ("*:", "0.0.0.0:", "[::]:")
_OPTIONS = (
    # a connection of its own, never shared with others and never left behind
    *("-M", "-N", "-T", "-a", "-x", "-o", "ControlPersist=no"),
    *("-o", "ExitOnForwardFailure=yes", "-o", "ServerAliveInterval=15"),
    *("-o", "PermitLocalCommand=no", "-o", "ConnectTimeout=15"),
)

# $1: the folder, then ssh and its arguments. Standard input is the life of whoever asked: when it
# ends, however it ends, ssh goes, and then the folder. Ctrl-C is for that program to answer.
# ssh 9.2 sleeps through a signal that comes just before it waits, up to ServerAliveInterval: so it
# is told until it ends.
_GUARD = """\
trap '' INT QUIT HUP
folder=$1; shift
exec 3<&0 </dev/null
"$@" 3<&- & ssh=$!
{ read -r _; trap '' TERM; while kill "$ssh"; do sleep 0.02; done; } <&3 2>/dev/null & watch=$!
trap 'kill "$ssh"' TERM
exec 3<&-
wait "$ssh"; status=$?
{ kill "$watch"; wait "$watch"; } 2>/dev/null
rm -rf "$folder"
exit "$status"
"""


class Tunnel:
    """A connection to an SSH server, `user@host[:port]`, until `close` or the end of the program.

    Blocks until the server has let us in: ssh asks for a password on the terminal if it `may_ask`.
    Raises CallError with what ssh says when it does not. `lost` is called from another thread, with
    what ssh said, when the connection ends and nobody has closed it.
    """

    def __init__(
        self,
        server: str,
        keyfile: str | None = None,
        lost: Callable[[str], object] = lambda _: None,
        *,
        may_ask: bool = True,
    ) -> None:
        self.server = server
        self._options = (*_OPTIONS, *(() if may_ask else ("-o", "BatchMode=yes")))
        self._program, self._destination = _ssh(server, keyfile)
        self._folder = tempfile.mkdtemp(prefix="circus-ssh-")
        self._asked: dict[str, str] = {}
        self._found: set[str] = set()
        self._said: list[str] = []
        self._heard = threading.Condition()
        self._lost = lost
        self._is_up = False
        self._process = self._start()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._wait_for_server()
        except BaseException:
            self.close()
            raise
        self._is_up = True

    def forward(self, endpoint: str) -> str:
        """The endpoint here that leads to one there. Raises CallError when nobody listens there."""
        if endpoint not in self._asked:
            here = f"{self._folder}/{len(self._asked)}"
            self._ask_for(here, endpoint)
            self._asked[endpoint] = here
        here = self._asked[endpoint]
        if endpoint not in self._found:  # ssh keeps the way, whether or not anybody is there yet
            self._probe(here, endpoint)
            self._found.add(endpoint)
        return f"ipc://{here}"

    def failure(self) -> str | None:
        """What ssh said when it ended, None while it runs."""
        if self._process.poll() is None:
            return None
        self._reader.join(PATIENCE)
        return self._words()

    def close(self) -> None:
        """End it; nothing is left. Takes a few milliseconds."""
        self._is_up = False
        assert self._process.stdin is not None  # noqa: S101 it is a pipe
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)

    def _start(self) -> subprocess.Popen[str]:
        command = [*self._program, *self._options, "-S", self._master(), *self._destination]
        return subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "circus-ssh", self._folder, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="backslashreplace",
        )

    def _master(self) -> str:
        """Where ssh takes orders; it is there once the server has let us in."""
        return f"{self._folder}/master"

    def _read(self) -> None:
        """In a thread: keep what ssh says from filling the pipe, and the last of it for us."""
        assert self._process.stderr is not None  # noqa: S101 it is a pipe
        with self._process.stderr as lines:
            for line in lines:
                with self._heard:
                    self._said = [*self._said[-9:], line.strip()]
                    self._heard.notify_all()
        if self._is_up:
            self._lost(self._words())

    def _words(self) -> str:
        """The last that ssh said: its reason, without the number that it gave a connection."""
        lines = [line for line in self._said if line]
        return _CHANNEL.sub("", lines[-1]) if lines else "ssh ended without a word"

    def _wait_for_server(self) -> None:
        while not os.path.exists(self._master()):
            self._reader.join(0.01)  # until ssh ends, or to look again
            failure = self.failure()
            if failure is not None:
                raise CallError(f"cannot reach {self.server} through ssh: {failure}")

    def _ask_for(self, here: str, endpoint: str) -> None:
        forward = f"{here}:{target(endpoint)}"
        order = ["-S", self._master(), "-O", "forward", "-L", forward]
        try:
            ended = subprocess.run(
                [*self._program, *order, *self._destination],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="backslashreplace",
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CallError(f"cannot reach {endpoint} on {self.server}: ssh is silent") from None
        if ended.returncode:
            lines = ended.stderr.split("\n") if not self.failure() else [self._words()]
            why = next((line.strip() for line in reversed(lines) if line.strip()), "ssh refuses")
            raise CallError(f"cannot reach {endpoint} on {self.server}: {why}")

    def _probe(self, here: str, endpoint: str) -> None:
        """Raises CallError when the connection is taken here and closed there.

        ZeroMQ speaks first, whoever connects; one that is silent may only be busy.
        """
        before = len(self._said)
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(PATIENCE)
            try:
                probe.connect(here)
                if probe.recv(1):
                    return
            except TimeoutError:
                return
            except OSError:  # as if it had been closed
                pass
        with self._heard:
            told = self._heard.wait_for(lambda: len(self._said) > before, timeout=1.0)
        why = f" ({self._words()})" if told else ""
        raise CallError(f"No circusd listens at {endpoint} on {self.server}; is it running?{why}")


def _ssh(server: str, keyfile: str | None) -> tuple[list[str], list[str]]:
    """The program with its options, and what tells it where to go. Raises CallError."""
    try:
        host, port = ssh_destination(server)
    except ValueError as error:
        raise CallError(f"cannot connect through ssh: {error}") from None
    try:
        program = shlex.split(os.environ.get(SSH, "")) or ["ssh"]
    except ValueError as error:
        raise CallError(f"cannot read ${SSH}: {error}") from None
    if shutil.which(program[0]) is None:
        raise CallError(f"cannot connect through ssh: {program[0]} is not installed")
    options = ["-p", port] if port else []
    if keyfile:
        options += ["-i", keyfile, "-o", "IdentitiesOnly=yes"]
    return program, [*options, "--", host]


def target(endpoint: str) -> str:
    """An endpoint as ssh writes where a forward leads. Raises CallError."""
    path = ipc_path(endpoint)
    if path is not None and _PATH.fullmatch(path):
        return path
    address = endpoint.removeprefix("tcp://")
    for wildcard in _WILDCARDS:  # where it is bound: there it is any address
        if address.startswith(wildcard):
            address = f"localhost:{address.removeprefix(wildcard)}"
    if path is None and _HOST_PORT.fullmatch(address):
        return address
    raise CallError(f"cannot reach {endpoint!r} through ssh: write tcp://host:port or ipc:///path")
