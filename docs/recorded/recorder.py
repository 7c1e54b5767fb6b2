"""A circusd that is asked for the sake of the pages, with what differs each time replaced."""

from __future__ import annotations

import contextlib
import getpass
import itertools
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from circus import __version__
from tests.cgroups import Divider, delegated
from tests.support import Daemon, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = Path(sys.executable).parent
CIRCUSD, FIRST_WORKER = 4700, 4711
INSTANCE = "5f0c3a91d2b7e864"
TICKET = "zfcMIFg44nIz3_HvLYk7f0fS27xTo4Dfu1KQ1hLt-YQ"
REPLACED = (
    (r"\b1[789]\d{8}\.\d+", "1795882119.87"),
    (r"(ticket(?:=|\": \"))[\w-]+", rf"\g<1>{TICKET}"),
    (r"(since )[\d.]+(?= s)", r"\g<1>12.3"),
    (r'("since": |"age": )\d+\.\d+', r"\g<1>12.3"),
    (r'("id": )"[0-9a-f]{32}"', r'\1"1"'),
    (r'("mem_info1": )"[^"]+"', r'\1"1.4M"'),
    (r'("mem_info2": )"[^"]+"', r'\1"2.4M"'),
    (r'("cpu": |"mem": )[\d.]+', r"\g<1>0.1"),
    (r'("ctime": )"[^"]+"', r'\1"0:00.01"'),
    (r"[\d.]+[KM] [\d.]+[KM] [\d.]+ [\d.]+ \d+:[\d.]+$", "1.4M 2.4M 0.1 0.1 0:00.01"),
    (r'^\d+(?=:socket)|(?<="fd": )\d+', "8"),
    (r"\bpython[\d.]*", "python3"),
    (re.escape(__version__), "1.0.0"),
)
"""What is another number, or another word, in each run."""


class Recorder:
    """A context with a circusd that runs everything that it is to run.

    `ends`: what is asked of it ends it, so nothing is asked afterwards.
    """

    def __init__(self, config: str, *, cgroups: bool = False, ends: bool = False) -> None:
        self._port = str(free_port())
        self._config = config.replace("8080", self._port)
        self._cgroups = cgroups
        self._ends = ends
        self._ticket = ""

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as kept:
            if self._cgroups:
                self._daemon: Daemon = Divider(kept.enter_context(delegated()), self._config)
            else:
                self._daemon = Daemon(self._config)
            kept.callback(self._daemon.stop)
            self._daemon.wait()
            self._daemon.call("wait", names=["web", "db", "clock"])
            told = self._daemon.call("events", since=0)
            self._instance, self._last = told["instance"], told["last"]
            self._spawned = sorted(_spawned(told))
            self._kept = kept.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._kept.close()

    def typed(self, lines: str) -> str:
        """A session: each line with a `$` before it, then what it printed."""
        return "".join(f"$ {line}\n{self._alike(self._run(line))}" for line in lines.splitlines())

    def asked(self, verb: str, properties: dict[str, Any]) -> dict[str, Any]:
        """The message, what was answered, and the events: the fields of each topic."""
        if "TICKET" in properties.values() and not self._ticket:
            self._ticket = self._daemon.call("console-login")["ticket"]
        sent = {
            key: self._ticket if value == "TICKET" else value for key, value in properties.items()
        }
        self._catch_up()
        message = {"id": "1", "command": verb, "properties": sent}
        answer = self._daemon.client.call(message)
        events = {} if self._ends else self._catch_up()
        pair = {"request": message, "reply": answer, "events": events}
        found: dict[str, Any] = json.loads(self._alike(json.dumps(pair)))
        return found

    def _run(self, line: str) -> str:
        environ = {
            **os.environ,
            "CIRCUSCTL_ENDPOINT": self._daemon.endpoint,
            "PATH": f"{PROGRAMS}:/usr/bin:/bin",
        }
        running = subprocess.Popen(
            ["/bin/bash", "-c", f"exec {line}" if "circusctl listen" in line else line],
            cwd=self._daemon.folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if "circusctl listen" not in line:
            return running.communicate(timeout=60)[0]
        topic = line.split()[-1]
        count = len(self._daemon.call("events", since=0, topics=[topic])["events"])
        shown = "".join(itertools.islice(running.stdout or (), count))
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
        return f"{shown}^C\n"

    def _catch_up(self) -> dict[str, list[str]]:
        """What was told since the last time: topics, and their fields but for the usual ones."""
        told = self._daemon.call("events", since=self._last)
        self._last = told["last"]
        self._spawned += _spawned(told)
        usual = {"time", "seq", "instance"}
        return {
            one["topic"]: [key for key in one["message"] if key not in usual]
            for one in told["events"]
        }

    def _alike(self, text: str) -> str:
        """The same text as in any other run."""
        if not self._ends:
            self._catch_up()
        pids = {self._daemon.process.pid: CIRCUSD}
        for number, (_, _, pid) in enumerate(self._spawned):
            pids.setdefault(pid, FIRST_WORKER + number)
        for pid, stand_in in pids.items():
            text = re.sub(rf"(?<![\w.]){pid}(?![\w.])", str(stand_in), text)
        text = text.replace(f"ipc://{self._daemon.folder}", "ipc:///run/circus")
        text = text.replace(str(self._daemon.folder), "/etc/circus")
        text = text.replace(self._instance, INSTANCE).replace(self._port, "8080")
        text = re.sub(rf"\b{re.escape(getpass.getuser())}\b", "root", text)
        for pattern, instead in REPLACED:
            text = re.sub(pattern, instead, text, flags=re.MULTILINE)
        return text


def _spawned(told: dict[str, Any]) -> Iterator[tuple[str, int, int]]:
    """Workers that were started: topic, wid, pid."""
    for one in told["events"]:
        if one["topic"].endswith(".spawn"):
            yield one["topic"], one["message"]["wid"], one["message"]["process_pid"]
