"""Stand-ins for journald: one that a test reads itself, and a real one with a /run of its own."""

from __future__ import annotations

import array
import contextlib
import dataclasses
import json
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import Daemon, only_if, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = "/lib/systemd/systemd-journald"
needs_journald = only_if(
    os.geteuid() == 0 and os.path.exists(PROGRAM), "only root can start a journald of its own"
)


@dataclasses.dataclass
class Entry:
    """What came in one datagram."""

    fields: dict[str, list[bytes]]
    pid: int
    uid: int
    gid: int

    def __getitem__(self, name: str) -> bytes:
        (value,) = self.fields[name]
        return value


def parse(data: bytes) -> dict[str, list[bytes]]:
    """A record as https://systemd.io/JOURNAL_NATIVE_PROTOCOL/ says that it is read."""
    found: dict[str, list[bytes]] = {}
    while data:
        line, newline, rest = data.partition(b"\n")
        assert newline, f"no end of line after {line!r}"
        name, equals, value = line.partition(b"=")
        if not equals:
            (size,) = struct.unpack_from("<Q", rest)
            value, rest = rest[8 : 8 + size], rest[8 + size :]
            assert rest[:1] == b"\n", f"{name!r} does not end where it says"
            rest = rest[1:]
        found.setdefault(name.decode("ascii"), []).append(value)
        data = rest
    return found


class FakeJournald:
    """Listens in a folder; what came is there for whoever asks, and nobody else reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.settimeout(20)
        self._socket.bind(str(folder / "socket"))

    def close(self) -> None:
        """Nobody listens any more."""
        self._socket.close()
        (self.folder / "socket").unlink()

    def read(self) -> Entry:
        """The next record, once it is there."""
        size = socket.CMSG_SPACE(12) + socket.CMSG_SPACE(4)
        data, ancillary, _flags, _address = self._socket.recvmsg(1 << 20, size)
        ids = (0, 0, 0)
        for _level, kind, content in ancillary:
            if kind == socket.SCM_CREDENTIALS:
                ids = struct.unpack("3i", content)
            elif kind == socket.SCM_RIGHTS:
                (fd,) = array.array("i", content)
                data = _sealed(fd)
        return Entry(parse(data), *ids)

    def read_all(self) -> list[Entry]:
        """Those that are there now."""
        found = []
        self._socket.setblocking(False)  # noqa: FBT003
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self.read())
        self._socket.settimeout(20)
        return found


def _sealed(fd: int) -> bytes:
    """What is in a file that was sent; journald takes none that may still change."""
    import fcntl

    with open(fd, "rb") as file:
        assert fcntl.fcntl(fd, fcntl.F_GET_SEALS) == 15
        file.seek(0)
        return file.read()


class RealJournald:
    """The program itself, in a mount namespace where it has /run to itself."""

    def __init__(self) -> None:
        script = f"""
            mount -t tmpfs none /run && mkdir -p /run/log/journal /run/systemd/journald.conf.d &&
            printf '%s\\n' '[Journal]' RateLimitIntervalSec=0 RuntimeMaxUse=4G RuntimeKeepFree=1M \
                > /run/systemd/journald.conf.d/a.conf &&
            exec {PROGRAM}
        """
        self._process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
            stderr=subprocess.DEVNULL,
        )
        self.inside = ["nsenter", "--mount", f"--target={self._process.pid}"]
        """The beginning of a command line that is carried out where its /run is."""
        self.folder = Path(f"/proc/{self._process.pid}/root/run/systemd/journal")
        wait_until((self.folder / "socket").exists)

    def close(self) -> None:
        """End it; what it wrote goes with its namespace."""
        self._process.terminate()
        self._process.wait()

    def pause(self) -> None:
        """It takes nothing any more."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """It takes what came, and what comes."""
        self._process.send_signal(signal.SIGCONT)

    def messages(self, *matches: str) -> Iterator[str]:
        """The first lines of the records that match, however many."""
        command = [*self.inside, "journalctl", "-q", "-a", "-o", "cat", *matches]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            yield from program.stdout

    def entries(self, *matches: str) -> list[dict[str, str]]:
        """The records in the journal that match, as `journalctl -o json` gives them."""
        ended = subprocess.run(
            [*self.inside, "journalctl", "-q", "-a", "-o", "json", *matches],
            capture_output=True,
            check=True,
            timeout=60,
        )
        return [json.loads(line) for line in ended.stdout.splitlines()]

    def wait_entries(self, count: int, *matches: str) -> list[dict[str, str]]:
        """Those records once there are so many."""
        found: list[dict[str, str]] = wait_until(
            lambda: got if len(got := self.entries(*matches)) >= count else None
        )
        assert len(found) == count
        return found


class InUnit(Daemon):
    """As systemd starts it: what nobody leads elsewhere goes to the journal."""

    def __init__(self, journald: RealJournald, text: str) -> None:
        self.journald = journald
        super().__init__(text)

    def _program(self, uid: int) -> list[str]:
        del uid
        program = Path(__file__).parent / "daemon" / "under_journal.py"
        return [*self.journald.inside, sys.executable, str(program)]

    def logs(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`circusctl logs`, where this journal is the machine's."""
        return subprocess.run(
            [*self.journald.inside, sys.executable, "-m", "circus.circusctl",
             "--endpoint", self.endpoint, "logs", *arguments],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip


@pytest.fixture
def journald() -> Iterator[RealJournald]:
    """A real one of the test's own."""
    one = RealJournald()
    yield one
    one.close()
