"""What those ask who watch the console, and those who collect numbers."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse

from circus.plugins.metrics.families import FAMILIES
from circus.web.api.figures import OWN
from circus.web.users import Entry, new_token, put, token_secret
from tests.support import wait_until

if TYPE_CHECKING:
    from tests.web.conftest import Open
    from tests.web.console import Console

Found = dict[tuple[str, frozenset[tuple[str, str]]], float]
WATCHERS = """
[watcher:web]
cmd = sleep 3600
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/web.log
[socket:shop]
port = 0
"""
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def scraper(console: Console) -> dict[str, str]:
    """The headers of a program that may collect numbers and do nothing else."""
    token = new_token()
    put(str(console.daemon.folder / "users"), Entry("prometheus", "metrics", token_secret(token)))
    return {"Authorization": f"Bearer {token}", "Accept": OPENMETRICS}


def scrape(console: Console, headers: dict[str, str]) -> Found:
    answer = console.ask("GET", "/metrics", headers=headers)
    assert answer.status == 200, answer.text
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(answer.text)  # type: ignore[no-untyped-call]  # it has no types
        for sample in family.samples
    }


def named(found: Found, name: str, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))


def test_the_numbers_of_circusd_and_of_the_console(consoles: Open) -> None:
    console = consoles("password_file = FOLDER/users\n", watchers=WATCHERS)
    headers = scraper(console)
    (pid,) = console.daemon.wait_pids("web", 1)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: console.daemon.pids("web") not in ([], [pid]))
    found = scrape(console, headers)
    assert named(found, "circus_up") == 1
    assert named(found, "circus_watcher_workers", watcher="web") == 1
    assert named(found, "circus_watcher_last_exit_code", watcher="web") == -9
    assert named(found, "circus_watcher_restarts_total", watcher="web") == 1
    assert named(found, "circus_socket_queue", socket="shop") == 0
    assert named(found, "circus_console_streams") == 0
    assert (named(found, "circus_console_memory_bytes") or 0) > 1e6
    for number in range(3):
        console.ask("GET", f"/nosuch/{number}?{number}")
    again = scrape(console, headers)
    before = named(found, "circus_console_requests_total", status="200") or 0
    assert named(again, "circus_console_requests_total", status="200") == before + 1
    assert named(again, "circus_console_requests_total", status="404") == 3
    assert (named(again, "circus_console_request_seconds_total") or 0) > 0
    names = {one.name for one in (*FAMILIES, *OWN)}
    text = console.ask("GET", "/metrics", headers=headers).text
    assert {one.name for one in parse(text)} == names  # type: ignore[no-untyped-call]
    # whatever is asked, there are no more labels than names and statuses
    assert {key for _, labels in again for key, _ in labels} == {
        "watcher", "stream", "socket", "state", "status", "circus_watcher_state",
    }  # fmt: skip


def test_t53_who_collects_numbers_may_do_nothing_else(consoles: Open) -> None:
    console = consoles("password_file = FOLDER/users\n", watchers=WATCHERS)
    headers = scraper(console)
    assert console.ask("GET", "/readyz", headers=headers).status == 200
    for path in ("/api/v1/watchers", "/api/v1/state", "/live", "/api/v1/watchers/web/logs"):
        assert console.ask("GET", path, headers=headers).status == 403
    assert console.get("/healthz").json == {"status": "ok"}
    assert console.ask("HEAD", "/healthz").status == 200
    for path in ("/readyz", "/metrics"):
        assert console.get(path).status == 401
        assert console.get(path, Authorization="Bearer circus_x").status == 401
    console.login("read")
    assert console.get("/metrics").headers["Content-Type"].startswith("text/plain")


def test_numbers_are_for_everybody_where_the_settings_say_so(consoles: Open) -> None:
    console = consoles("metrics_open = True\n", watchers=WATCHERS)
    assert named(scrape(console, {"Accept": OPENMETRICS}), "circus_up") == 1
    assert console.get("/readyz").json == {"status": "ready"}
    assert console.get("/api/v1/watchers").status == 401


def test_a_console_without_circusd_lives_and_is_not_ready(consoles: Open) -> None:
    console = consoles("metrics_open = True\n", watchers=WATCHERS)
    console.daemon.process.send_signal(signal.SIGSTOP)
    try:
        answer = console.get("/readyz")
        assert (answer.status, answer.json["detail"]) == (
            503,
            "circusd has not answered within 2 s",
        )
    finally:
        console.daemon.process.send_signal(signal.SIGCONT)
    wait_until(lambda: console.get("/readyz").status == 200)
    console.daemon.process.terminate()
    console.daemon.process.wait()
    answer = console.get("/readyz")
    assert answer.status == 503
    assert "is it running?" in answer.json["detail"]
    assert answer.headers["Retry-After"]
    assert console.get("/healthz").status == 200
    found = scrape(console, {"Accept": OPENMETRICS})
    assert named(found, "circus_up") == 0
    assert named(found, "circus_watcher_workers", watcher="web") is None
    assert named(found, "circus_console_requests_total", status="503") is not None
