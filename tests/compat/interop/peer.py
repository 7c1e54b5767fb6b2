"""Circus 0.19.0 as the other side: its programs, and programs that use its clients."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

from circus.reach import unreachable
from tests.support import free_port, wait_until

SCRIPTS = Path(__file__).with_name("scripts")
OUR_CIRCUSCTL = (sys.executable, "-m", "circus.circusctl")
WATCHERS = """
[watcher:Web]
cmd = sleep 3601
numprocesses = 2
[watcher:one]
cmd = sleep 3602
singleton = True
[watcher:off]
cmd = sleep 3603
autostart = False
"""
SOCKET = """
[socket:web]
host = 127.0.0.1
port = 0
"""
Ended = subprocess.CompletedProcess[str]


def free_tcp_endpoint() -> str:
    """An endpoint that nobody has at the moment."""
    return f"tcp://127.0.0.1:{free_port()}"


def run(*command: str, typed: str | None = None, env: dict[str, str] | None = None) -> Ended:
    """A command that ends, with what it printed."""
    return subprocess.run(
        command, input=typed, capture_output=True, text=True, timeout=60, check=False, env=env
    )


def end_orphan(pid: int) -> None:
    """End what a daemon has left behind, unless it has gone with the rest."""
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)  # it is ours by now, or nobody's


def has_text(stream: IO[str] | None) -> bool:
    """Whether a first line is there to be read, or comes in a moment."""
    assert stream is not None
    return bool(select.select([stream], [], [], 0.02)[0])


class Ctl:
    """A circusctl, ours or the old one, and the daemon that it talks to."""

    def __init__(self, *command: str, endpoint: str, env: dict[str, str] | None = None) -> None:
        self._command = (*command, "--endpoint", endpoint)
        self._env = env

    def __call__(self, *words: str, typed: str | None = None) -> Ended:
        """Run it with these words."""
        return run(*self._command, *words, typed=typed, env=self._env)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start it, without waiting for its end."""
        return subprocess.Popen(
            [*self._command, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**(self._env or os.environ), "PYTHONUNBUFFERED": "1"},
        )

    def done(self, line: str, *words: str) -> str:
        """What it prints for something that goes well, without the last end of line."""
        ended = self(*line.split(), *words)
        assert (ended.returncode, ended.stderr) == (0, ""), ended
        return ended.stdout.removesuffix("\n")

    def refused(self, line: str, *words: str) -> str:
        """What it says when the daemon says no."""
        ended = self(*line.split(), *words)
        assert (ended.returncode, ended.stdout) == (3, ""), ended
        return ended.stderr.removesuffix("\n")


class Old:
    """The programs of circus 0.19.0."""

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        # what leads to our own package would lead its Python there too
        self.env = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}

    def ctl(self, endpoint: str) -> Ctl:
        """Its circusctl."""
        # it gives up after 5 s otherwise, which a busy machine may need
        patient = ("--timeout", "30")
        return Ctl(str(self.programs / "circusctl"), *patient, endpoint=endpoint, env=self.env)

    def script(self, name: str, *words: str) -> Script:
        """A program of `scripts`, run with its Python and its library."""
        command = [str(self.programs / "python"), str(SCRIPTS / name), *words]
        return Script(
            subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.env
            )
        )


class Script:
    """One of those programs, line by line; closed with the block."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._in, self._out = process, process.stdin, process.stdout

    def __enter__(self) -> Script:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def tell(self, value: object) -> None:
        """One line of JSON to it."""
        self._in.write(json.dumps(value) + "\n")
        self._in.flush()

    def hear(self) -> Any:
        """One line of JSON from it."""
        line = self._out.readline()
        assert line, f"it has ended with {self._process.wait()}"
        return json.loads(line)

    def has_begun_to_speak(self) -> bool:
        """Whether its first line is there."""
        return has_text(self._out)

    def ask(self, command: str, **properties: object) -> Any:
        """The answer to a command, without what differs each time."""
        return self.call({"command": command, "properties": properties})

    def call(self, message: object) -> Any:
        """The same for a whole message."""
        self.tell(message)
        answer = self.hear()
        assert answer.pop("id")
        assert answer.pop("time") > 0
        return answer


class OldDaemon:
    """A circusd 0.19.0 on a configuration of its own; ended with `stop`."""

    def __init__(self, old: Old, text: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="circus-", dir="/tmp"))
        self.endpoint = f"ipc://{self.folder}/control"
        self.events = f"ipc://{self.folder}/events"
        config = self.folder / "circus.ini"
        config.write_text(
            f"[circus]\nendpoint = {self.endpoint}\npubsub_endpoint = {self.events}\n"
            + text.replace("FOLDER", str(self.folder))
        )
        self.log = self.folder / "circusd.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(old.programs / "circusd"), str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=old.env,
            )

    def stop(self) -> None:
        """End it, if it has not ended already, and what it started with it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)  # lost while it is at something
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait(self) -> OldDaemon:
        """Return once it takes commands."""
        wait_until(lambda: unreachable(self.endpoint) is None or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()
        return self
