"""Plugins that no file asks for: run by hand, or by a program."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import zmq

from circus.exc import CallError
from circus.plugins import CircusPlugin
from tests.compat.programs import Program
from tests.plugins.conftest import ROOT, WATCHER
from tests.support import Daemon, text_of, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PROGRAM = """
from circus import get_arbiter

told = {"use": "tests.plugins.written.told.Tells", "file": "told", "name": "told"}
arbiter = get_arbiter([{"name": "w", "cmd": "sleep 3600"}], plugins=[told], background=True)
arbiter.start()
print(*[watcher.name for watcher in arbiter.watchers], flush=True)
input()
arbiter.stop()
"""


class Told:
    """What a `Tells` has written."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in text_of(self._file).splitlines()]

    def instances(self) -> set[str]:
        """Those circusds of which it has heard anything."""
        return {line["message"]["instance"] for line in self.lines() if "message" in line}


def test_one_that_is_run_by_hand_outlives_circusd(tmp_path: Path) -> None:
    told = Told(tmp_path / "told")
    control, events = (f"ipc://{tmp_path}/{name}" for name in ("control", "pubsub"))
    text = f"[circus]\npubsub_endpoint = {events}\n{WATCHER}"
    config = f"file:{tmp_path}/told:::x:y:z"
    plugin = subprocess.Popen(
        [
            *(sys.executable, "-m", "circus.plugins", "--endpoint", control, "--pubsub", events),
            *("--config", config, "--check-delay", "2", "tests.plugins.written.told.Tells"),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(told.lines)
    assert told.lines() == [{"config": {"file": f"{tmp_path}/told", "x": "y:z"}, "delay": 2.0}]
    first = Daemon(text, endpoint=control).wait()
    with first.restarting("w"):
        wait_until(told.instances)
    first.stop()
    second = Daemon(text, endpoint=control).wait()
    try:
        with second.restarting("w"):
            wait_until(lambda: len(told.instances()) == 2)
        plugin.terminate()
        _, log = plugin.communicate(timeout=60)
    finally:
        second.stop()
    assert plugin.returncode == 0
    assert told.lines()[-1] == {"stopped": 1}
    assert [line.partition("[INFO] ")[2] for line in log.splitlines()] == [
        *("Loading the plugin...", f"Endpoint: {control!r}", f"Pub/sub: {events!r}", "Starting")
    ]


def test_a_program_has_plugins_too(tmp_path: Path) -> None:
    (tmp_path / "tests").symlink_to(ROOT / "tests")  # beside the script
    program = Program(tmp_path, PROGRAM)
    assert program.line() == "plugin:told w"
    told = Told(tmp_path / "told")
    wait_until(told.lines)
    assert told.lines()[0]["config"] == {"file": "told", "name": "plugin:told"}
    program.type("\n")
    status, _, _ = program.end()
    assert (status, told.lines()[-1]) == (0, {"stopped": 2})


def test_one_that_fails_says_what_failed_and_goes_on_after_an_event(tmp_path: Path) -> None:
    told = Told(tmp_path / "told")
    control, events = (f"ipc://{tmp_path}/{name}" for name in ("control", "pubsub"))
    use = "tests.plugins.written.told.Stumbles"
    command = [
        *(sys.executable, "-m", "circus.plugins", "--endpoint", control, "--pubsub", events),
        *("--config", f"file:{tmp_path}/told", use),
    ]
    first = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert first.returncode == 1
    assert f"[ERROR] {use} has failed\nTraceback" in first.stderr
    assert first.stderr.endswith("RuntimeError: not at the first try\n")
    daemon = Daemon(f"[circus]\npubsub_endpoint = {events}\n{WATCHER}", endpoint=control).wait()
    second = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        with daemon.restarting("w"):
            wait_until(told.instances)
        second.terminate()
        _, log = second.communicate(timeout=60)
    finally:
        daemon.stop()
    assert second.returncode == 0
    assert log.count("[ERROR] Stumbles cannot handle an event\nTraceback") == 1
    assert "ValueError: not this one\n" in log


def test_its_log_may_be_a_file(tmp_path: Path) -> None:
    use = "tests.plugins.written.told.Stumbles"
    command = [sys.executable, "-m", "circus.plugins", "--config", f"file:{tmp_path}/told", use]
    for place, said in (("log", ""), ("nowhere/log", "circus-plugin: [Errno 2] ")):
        ended = subprocess.run(
            [*command, "--log-output", f"{tmp_path}/{place}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 1
        assert ended.stderr.startswith(said)
        assert ended.stderr.count("\n") == bool(said)
    assert f"[ERROR] {use} has failed\nTraceback" in (tmp_path / "log").read_text()


class Hears(CircusPlugin):
    """Fails with circusd's silence at its first event, and ends after the second."""

    def __init__(self, pubsub_endpoint: str) -> None:
        super().__init__("ipc://x", pubsub_endpoint, 5.0)
        self.heard: list[tuple[bytes, bool]] = []
        """Topics, and whether they came by what is known as the socket."""

    def handle_recv(self, data: list[bytes]) -> None:
        self.heard.append((data[0], self.sub_socket is not None))
        if len(self.heard) == 1:
            raise CallError("circusd does not answer")
        self.stop()


def test_one_may_run_in_a_thread_and_outlives_an_event_that_it_cannot_ask_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plugin = Hears(f"ipc://{tmp_path}/events")
    assert plugin.sub_socket is None
    thread = threading.Thread(target=plugin.start, daemon=True)
    with zmq.Context() as context, context.socket(zmq.PUB) as publisher:
        publisher.bind(plugin.pubsub_endpoint)
        thread.start()

        def told() -> bool:
            publisher.send_multipart((b"watcher.w.spawn", b"{}"))
            return not thread.is_alive()

        wait_until(told)
    assert plugin.heard == [(b"watcher.w.spawn", True)] * 2
    assert caplog.messages == ["circusd does not answer"]


def test_ctrl_c_while_it_is_imported_is_no_error(tmp_path: Path) -> None:
    text = "import sys, threading\nprint('here', flush=True)\nthreading.Event().wait()\n"
    (tmp_path / "slow.py").write_text(text)
    plugin = subprocess.Popen(
        [sys.executable, "-m", "circus.plugins", "slow.Plugin"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    assert plugin.stdout is not None
    assert plugin.stdout.readline() == "here\n"
    plugin.send_signal(signal.SIGINT)
    assert plugin.communicate(timeout=60) == ("", "")
    assert plugin.returncode == 0
