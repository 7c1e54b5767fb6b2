"""The metrics of a circusd at work, as the parsers of Prometheus itself understand them."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse

from circus.plugins.metrics.families import FAMILIES
from circus.plugins.metrics.plugin import Metrics
from tests.plugins.conftest import WATCHER, replaced
from tests.standin import Standin, saying
from tests.support import child, free_port, listens, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pytest

    from tests.daemon.conftest import Start

Found = dict[tuple[str, frozenset[tuple[str, str]]], float]
"""Value by name and labels."""
USE = "[plugin:m]\nuse = circus.plugins.metrics.Metrics\n"
SPEWS = f"""
[socket:shop]
port = 0
[socket:each]
port = 0
so_reuseport = True
[watcher:spews]
cmd = {child("spew", 1000)}
use_sockets = True
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/spewed
"""
WRITTEN = {"watcher": "spews", "stream": "stdout"}


class Scraper:
    """Asks a port of this machine, or a Unix socket."""

    def __init__(self, place: int | Path) -> None:
        self._place = place

    def ask(
        self, path: str = "/metrics", method: str = "GET", accept: str = ""
    ) -> tuple[int, str, str]:
        """Status, type and text."""
        if isinstance(self._place, int):
            connection = http.client.HTTPConnection("127.0.0.1", self._place, timeout=20)
        else:
            connection = http.client.HTTPConnection("localhost", timeout=20)
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(str(self._place))
        connection.request(method, path, headers={"Accept": accept})
        with connection.getresponse() as answer:
            text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers["Content-Type"], text

    def numbers(self) -> Found:
        """What it says in the older format."""
        return read(parse(self.ask()[2]))


def read(families: Iterable[object]) -> Found:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples  # type: ignore[attr-defined]
    }


def named(found: Found, name: str, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))


def tells_of_two_workers(found: Found) -> None:
    """Of w, one of which was killed, and of sockets and output."""
    assert named(found, "circus_up") == 1
    for name, value in (
        ("circus_watcher_workers", 2),
        ("circus_watcher_workers_wanted", 2),
        ("circus_watcher_restarts_total", 1),
        ("circus_watcher_last_exit_code", -9),
    ):
        assert named(found, name, watcher="w") == value, name
    state = {"watcher": "w", "circus_watcher_state": "active"}
    assert named(found, "circus_watcher_state", **state) == 1
    assert named(found, "circus_watcher_slots", watcher="w", state="ready") == 2
    memory = named(found, "circus_watcher_memory_bytes", watcher="w")
    assert memory is not None
    assert 100_000 < memory < 100_000_000
    assert named(found, "circus_socket_queue", socket="shop") == 0
    # of which each worker has one of its own
    assert named(found, "circus_socket_queue", socket="each") is None
    assert named(found, "circus_socket_backlog", socket="each") == 2048
    delay = named(found, "circus_control_delay_seconds")
    assert delay is not None
    assert delay >= 0
    assert named(found, "circus_output_written_bytes_total", **WRITTEN)
    assert named(found, "circus_output_dropped_lines_total", **WRITTEN) == 0
    # whatever happens, there are no more labels than names in the configuration
    assert {key for _, labels in found for key, _ in labels} == {
        "watcher", "stream", "socket", "state", "circus_watcher_state",
    }  # fmt: skip


def test_prometheus_reads_what_circusd_does(circusd: Start) -> None:
    port = free_port()
    daemon = circusd(f"{WATCHER}numprocesses = 2\n{SPEWS}{USE}listen = 127.0.0.1:{port}\n")
    wait_until(lambda: listens(port))
    scraper = Scraper(port)
    (pid, other) = daemon.wait_pids("w", 2)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: daemon.pids("w") not in ([pid, other], [other]))
    wait_until(lambda: named(scraper.numbers(), "circus_watcher_last_exit_code", watcher="w"))
    wait_until(lambda: named(scraper.numbers(), "circus_output_written_bytes_total", **WRITTEN))

    status, kind, text = scraper.ask(accept="application/openmetrics-text; version=1.0.0")
    assert (status, kind.partition(";")[0]) == (200, "application/openmetrics-text")
    families = list(parse_openmetrics(text))  # type: ignore[no-untyped-call]  # it has no types
    assert {one.name for one in families} == {one.name for one in FAMILIES}
    for found in (read(families), scraper.numbers()):
        tells_of_two_workers(found)
        assert str(other) not in text
    assert scraper.ask("/")[0] == 404
    assert scraper.ask(method="POST")[0] == 405
    assert scraper.ask(method="HEAD")[2] == ""


def test_how_a_worker_ended_is_known_whatever_becomes_of_events(circusd: Start) -> None:
    """As in the moment between the start of the plugin and that of its subscription."""
    daemon, port = circusd(WATCHER), free_port()
    plugin = subprocess.Popen(
        [
            *(sys.executable, "-m", "circus.plugins", "--config", f"listen:127.0.0.1:{port}"),
            *("--endpoint", f"ipc://{daemon.folder}/control"),
            *("--pubsub", f"ipc://{daemon.folder}/nobody"),
            "circus.plugins.metrics.Metrics",
        ]
    )
    try:
        wait_until(lambda: listens(port))
        scraper = Scraper(port)
        for signum in (signal.SIGKILL, signal.SIGTERM):
            (pid,) = daemon.wait_pids("w", 1)
            os.kill(pid, signum)
            replaced(daemon, "w", pid)
            code = named(scraper.numbers(), "circus_watcher_last_exit_code", watcher="w")
            assert code == -signum
    finally:
        plugin.terminate()
        assert plugin.wait(timeout=60) == 0


def test_a_circusd_that_refuses_is_down_and_the_log_has_its_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = saying(status="error", reason="denied: you may not")
    with Standin(tmp_path / "control", refusal) as refuser:
        metrics = Metrics(refuser.endpoint, "ipc://x", 5.0)

        async def text() -> str:
            try:
                return await metrics.text(openmetrics=False)
            finally:
                await metrics.handle_stop()

        found = read(parse(metrics.loop.run_sync(text)))
        metrics.loop.close()
    assert found == {("circus_up", frozenset()): 0}
    assert caplog.messages == ["circusd does not answer: denied: you may not"]


def test_a_circusd_that_does_not_answer_is_down(circusd: Start) -> None:
    port = free_port()
    daemon = circusd(f"{WATCHER}{USE}listen = 127.0.0.1:{port}\ntimeout = 0.5\n")
    wait_until(lambda: listens(port))
    scraper = Scraper(port)
    assert named(scraper.numbers(), "circus_up") == 1
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        assert scraper.numbers() == {("circus_up", frozenset()): 0}
    finally:
        daemon.process.send_signal(signal.SIGCONT)
    wait_until(lambda: named(scraper.numbers(), "circus_up") == 1)


def test_a_unix_socket_and_a_file_for_the_node_exporter(circusd: Start) -> None:
    where = "listen = unix:FOLDER/metrics\nfile = FOLDER/circus.prom\nloop_rate = 0.1\n"
    daemon = circusd(WATCHER + USE + where)
    file, sock = daemon.folder / "circus.prom", daemon.folder / "metrics"
    wait_until(file.exists)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    first = file.stat().st_ino
    wait_until(lambda: file.stat().st_ino != first)  # put in its place as a whole, each time
    found = read(parse(file.read_text()))
    assert named(found, "circus_watcher_workers", watcher="w") == 1
    assert named(Scraper(sock).numbers(), "circus_watcher_workers", watcher="w") == 1
    daemon.call("stop", name="plugin:m", waiting=True)
    assert [one.name for one in daemon.folder.iterdir() if one.name.startswith(".circus-")] == []
    assert not sock.exists()


def test_a_file_alone_is_written_as_soon_as_it_can_be(circusd: Start) -> None:
    where = "listen =\nfile = FOLDER/later/circus.prom\nloop_rate = 0.1\n"
    daemon = circusd(WATCHER + USE + where)
    (pid,) = daemon.wait_pids("plugin:m", 1)
    folder = daemon.folder / "later"
    say = f"Cannot write {folder}/circus.prom: No such file or directory"
    wait_until(lambda: say in daemon.text())
    folder.mkdir()
    wait_until((folder / "circus.prom").exists)
    daemon.call("stop", name="plugin:m", waiting=True)
    assert f"plugin:m.1 (pid {pid}) exited with code 0" in daemon.text()
    assert "Metrics are at" not in daemon.text()


def test_a_place_that_is_taken_is_told(circusd: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        daemon = circusd(f"{USE}listen = 127.0.0.1:{port}\nbackoff_delay = 0\nmax_retry = 1\n")
        wait_until(lambda: daemon.slots("plugin:m")[0]["state"] == "failed")
    say = f"circus-plugin: cannot listen at 127.0.0.1:{port}: Address already in use"
    assert say in daemon.text()
