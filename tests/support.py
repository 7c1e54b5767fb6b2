"""A real circusd to test with, and ways to wait for facts."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from circus.client import CircusClient
from circus.reach import unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_pause = threading.Event()


def only_if(can: bool, reason: str) -> pytest.MarkDecorator:  # noqa: FBT001 a plain fact
    """Skip a test where it cannot run, but in CI let it fail: there everything has to be there."""
    return pytest.mark.skipif(not can and "CI" not in os.environ, reason=reason)


needs_root = only_if(os.geteuid() == 0, "only root can be somebody else")


def child(name: str, *arguments: object) -> str:
    """The command line of a program of tests/children; it prints "ready PID" when it is."""
    path = Path(__file__).parent / "children" / f"{name}.py"
    assert path.exists()
    return shlex.join([sys.executable, "-S", "-I", str(path), *map(str, arguments)])


def ready(text: str) -> list[int]:
    """The pids that such programs have printed so far."""
    return [int(pid) for pid in re.findall(r"^ready (\d+)$", text, re.MULTILINE)]


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port of 127.0.0.1 that nobody has at the moment; `kind` of socket."""
    with socket.socket(type=kind) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody takes connections to a port of 127.0.0.1."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def wait_until(fact: Callable[[], Any], *, within: float = 20.0) -> Any:
    """What `fact` returns once it is true. AssertionError after `within` seconds."""
    until = time.monotonic() + within
    while True:
        found = fact()
        if found:
            return found
        assert time.monotonic() < until, f"not within {within} s: {fact}"
        _pause.wait(0.005)


def text_of(path: Path) -> str:
    """What a file holds; nothing when it is not there yet."""
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def alive(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in ("Z", "X")


def asleep(pid: int) -> bool:
    """Whether a process waits for something."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def children(pid: int) -> list[int]:
    """Pids of the children of a process, zombies too; none when it is gone."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def ticks(pid: int) -> int:
    """Of the processor, used so far; a hundred are a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def is_connected(pid: int) -> bool:
    """Whether a circusctl is asking something: only then ZeroMQ has descriptors."""
    try:
        return any("eventfd" in os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir())
    except FileNotFoundError:  # closed while we looked
        return False


def read_until(terminal: int, shown: str | None) -> str:
    """What a terminal shows up to and with this, or None: until the other side is closed."""
    seen = b""
    while shown is None or shown.encode() not in seen:
        assert select.select([terminal], [], [], 30)[0], seen
        try:
            data = os.read(terminal, 1)
        except OSError:  # the other side is closed
            data = b""
        if not data:
            assert shown is None, seen
            break
        seen += data
    return seen.decode("utf-8", "replace")


def circusctl(
    *arguments: str, environ: Mapping[str, str] | None = None, timeout: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run it with nobody to type, until it ends; `environ` goes on top of ours."""
    return subprocess.run(
        [sys.executable, "-m", "circus.circusctl", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, **(environ or {})},
    )


def pid_tree(pid: int) -> list[int]:
    """A process and everything below it, nearest first."""
    found = [pid]
    for one in found:
        found += children(one)  # grows while we go
    return found


def marked(mark: str) -> list[int]:
    """Pids of every process that has `mark` in its environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                if mark.encode() in (entry / "environ").read_bytes() and alive(int(entry.name)):
                    found.append(int(entry.name))
    return found


def as_user(uid: int, *gids: int) -> list[str]:
    """The beginning of a command line that is carried out as somebody else."""
    program = Path(__file__).parent / "daemon" / "as_user.py"
    return [sys.executable, str(program), str(uid), ",".join(map(str, gids))]


@contextlib.contextmanager
def being(uid: int) -> Iterator[None]:
    """Within it this process of root's is somebody else, and in no group but one of that number."""
    "".encode("idna")  # Python would remember that it could not be imported
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


class Daemon:
    """A circusd on a configuration of its own, with private sockets unless `endpoint` is given.

    `uid`: run as that user. `beside`: a folder whose files are to lie beside the configuration.
    """

    def __init__(
        self,
        text: str,
        *arguments: str,
        endpoint: str | None = None,
        uid: int = 0,
        beside: Path | None = None,
    ) -> None:
        # short, because the path of a Unix socket may not be long
        self.folder = Path(tempfile.mkdtemp(prefix="circus-", dir="/tmp"))
        if beside is not None:
            shutil.copytree(beside, self.folder, dirs_exist_ok=True)
        self.endpoint = endpoint or f"ipc://{self.folder}/control"
        if endpoint is not None:
            text = f"[circus]\nendpoint = {endpoint}\n{text}"
        self.config = self.folder / "circus.ini"
        self.write(text)
        self.log = self.folder / "circusd.log"
        self._before = set(children(os.getpid()))
        self._command = [*self._program(uid), *arguments, str(self.config)]
        self.process = self.begin()
        self.client = CircusClient(endpoint=self.endpoint, timeout=30.0)

    def _program(self, uid: int) -> list[str]:
        if not uid:
            return [sys.executable, "-m", "circus.circusd"]
        os.chown(self.folder, uid, uid)
        return [*as_user(uid, uid), "circusd"]

    def begin(self) -> subprocess.Popen[bytes]:
        """Start it; again, when it has ended."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, "RUNTIME_DIRECTORY": str(self.folder)},
            )
        return self.process

    def write(self, text: str) -> None:
        """Another configuration, to be read at the next reload."""
        self.config.write_text(text.replace("FOLDER", str(self.folder)), encoding="utf-8")

    def wait(self) -> Daemon:
        """Return once it answers."""
        wait_until(lambda: unreachable(self.endpoint) is None or self.process.poll() is not None)
        assert self.process.poll() is None, self.text()
        assert self.call("numwatchers")["status"] == "ok"
        return self

    def text(self) -> str:
        """Its log so far."""
        return self.file("circusd.log")

    def file(self, name: str) -> str:
        """What a file in its folder holds; nothing when it is not there yet."""
        return text_of(self.folder / name)

    def call(self, command: str, **properties: Any) -> dict[str, Any]:
        """One request, one answer, whatever it says."""
        answer: dict[str, Any] = self.client.send_message(command, **properties)
        return answer

    def statuses(self) -> dict[str, str]:
        """What each watcher is."""
        found: dict[str, str] = self.call("status")["statuses"]
        return found

    def pids(self, name: str) -> list[int]:
        """The workers of a watcher."""
        found: list[int] = self.call("list", name=name)["pids"]
        return found

    def wait_pids(self, name: str, count: int) -> list[int]:
        """Those workers, once there are `count`."""
        found: list[int] = wait_until(
            lambda: pids if len(pids := self.pids(name)) == count else None
        )
        return found

    def slots(self, name: str) -> list[dict[str, Any]]:
        """What each worker of a watcher is doing."""
        found: list[dict[str, Any]] = self.call("why", name=name)["watchers"][0]["slots"]
        return found

    def restarts(self, name: str) -> int:
        """How often workers of a watcher have been replaced."""
        return sum(slot["restarts"] for slot in self.slots(name))

    def start_anew(self, name: str) -> None:
        """`circusctl restart`; return once it has another first worker of a watcher that runs."""
        (pid,) = self.wait_pids(name, 1)
        assert self.call("restart")["status"] == "ok"
        wait_until(lambda: self.pids(name) not in ([], [pid]))

    def descriptors(self) -> int:
        """How many it has open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    @contextlib.contextmanager
    def restarting(self, name: str) -> Iterator[None]:
        """A watcher is restarted again and again: nobody tells when a subscription has arrived."""
        stop = threading.Event()

        def restart() -> None:
            client = CircusClient(endpoint=self.endpoint)
            while not stop.is_set():
                client.send_message("restart", name=name, waiting=True)
            client.stop()

        thread = threading.Thread(target=restart)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def ctl(self, *arguments: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run circusctl against it."""
        return circusctl("--endpoint", self.endpoint, *arguments, timeout=timeout)

    def json(self, *arguments: str) -> Any:
        """What circusctl --json prints."""
        return json.loads(self.ctl("--json", *arguments).stdout)

    def stop(self) -> int:
        """End it; nothing that it started may be left, and nothing may have gone wrong inside."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"circusd does not end\n{self.text()}") from None
        finally:
            self.client.stop()
            left = self._sweep()
            log = self.text()
            shutil.rmtree(self.folder, ignore_errors=True)
        assert left == {}, f"left behind: {left}\n{log}"
        assert "Traceback" not in log, log
        assert "Internal error" not in log, log
        return status

    def _sweep(self) -> dict[int, str]:
        """End what it left behind: pids and command lines.

        The tests are a subreaper (conftest.py), so that orphans become ours whatever they did to
        their session, group and environment; the mark finds those of a test that is not.
        """
        left = {}
        for pid in {*children(os.getpid()), *marked(f".{self.process.pid}.")} - self._before:
            if alive(pid):
                left[pid] = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        return left


def logrotate(daemon: Daemon, path: Path, how: str) -> None:
    """Have the real one rotate a file at once; `how` it is told in its own words."""
    config = daemon.folder / "rotate.conf"
    config.write_text(f"{path} {{\nrotate 9\nsu root root\n{how}\n}}\n")
    config.chmod(0o644)
    state = f"--state={daemon.folder}/rotate.state"
    subprocess.run(["logrotate", "--force", state, config], check=True)
