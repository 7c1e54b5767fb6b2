"""T53: nothing is changed by looking, and nobody does more than their role lets them."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, Any

import falcon.inspect
import pytest

from circus.access import Role
from circus.web.application import application, parts_of
from circus.web.settings import Settings

if TYPE_CHECKING:
    from tests.web.conftest import Open
    from tests.web.console import Console

VALUES = {"pid": "1", "act": "stop", "verb": "stop"}
"""For what stands in a path; a watcher's name for all else."""
ACTS = ("start", "stop", "restart", "reload", "incr", "decr", "kill", "signal", "rm", "freeze")
ENDLESS = "/live"
FOR_EVERYBODY = ("/login", "/healthz", "/media/{file}", "/api/v1/openapi.json")
LEAVING = "/logout"


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    """What is found at which path."""
    parts = parts_of(Settings(endpoint="ipc:///nowhere"))
    app = application(parts)
    paths = [route.path for route in falcon.inspect.inspect_routes(app)]
    found = {path: app._router.find(as_asked(path)) for path in paths}
    parts.close()
    return {path: one[0] for path, one in found.items() if one}


def as_asked(path: str) -> str:
    """The path with something in the places of its parameters."""
    return re.sub(r"\{(\w+)[^}]*\}", lambda found: VALUES.get(found[1], "web"), path)


def facts(console: Console) -> dict[str, Any]:
    """All that somebody could have changed."""
    call = console.daemon.call
    names = call("list")["watchers"]
    return {
        "options": {name: call("options", name=name)["options"] for name in names},
        "pids": {name: call("list", name=name)["pids"] for name in names},
        "statuses": call("status")["statuses"],
        "last": call("events")["last"],
        "global": call("globaloptions")["options"],
    }


def test_t53_whoever_only_looks_changes_nothing(shared: Console, resources: dict[str, Any]) -> None:
    shared.login()
    shared.daemon.wait_pids("web", 2)
    paths = {as_asked(path) for path in resources if path != ENDLESS}
    paths |= {f"/watchers/web/{act}" for act in ACTS}
    paths |= {f"/watchers/web/process/{act}/1" for act in ("incr", "decr", "kill")}
    assert {"/", "/watchers/web", "/act", "/watchers/web/switch_status"} <= paths
    before = facts(shared)
    asked = f"?csrf={shared.csrf()}&_method=POST&waiting=true&numprocesses=5"
    for path in sorted(paths):
        for method in ("GET", "HEAD", "OPTIONS"):
            for query in ("", asked):
                answer = shared.ask(method, path + query)
                assert answer.status != 500, (method, path, answer.text)
    assert facts(shared) == before
    changes = [one for one in shared.audit() if "outcome=done" in one or "outcome=begun" in one]
    assert [one for one in changes if "verb=login" not in one] == []


def test_t53_every_resource_says_what_it_takes(resources: dict[str, Any]) -> None:
    assert len(resources) > 10
    for path, resource in resources.items():
        for method, need in resource.needs.items():
            if path in FOR_EVERYBODY:
                assert need is None, path
            elif method in ("GET", "HEAD") or path == LEAVING:
                assert need is not None, path
            else:
                assert need in (Role.READ, Role.OPERATE, Role.ADMIN), (path, method)


def test_t53_a_stranger_sees_nothing(shared: Console, resources: dict[str, Any]) -> None:
    shared.cookies.clear()
    for path in resources:
        if path in FOR_EVERYBODY:
            continue
        answer = shared.get(as_asked(path), Accept="*/*")
        if path.startswith("/api/") or path in (ENDLESS, "/readyz", "/metrics"):
            assert answer.status in (401, 405), path
            assert answer.headers["Content-Type"] == "application/problem+json"
        else:
            assert answer.status in (303, 405), path
            assert answer.location.startswith("/login") or answer.status == 405
        assert "sleep 3600" not in answer.text


def test_t53_who_may_read_changes_nothing(shared: Console, resources: dict[str, Any]) -> None:
    shared.login("read")
    shared.daemon.wait_pids("web", 2)
    before = facts(shared)
    for act in (*ACTS, "switch_status"):
        answer = shared.post(f"/watchers/web/{act}", {"signum": "KILL"})
        assert answer.status == 403, act
        assert "This takes the role operate; you are root, who may read." in answer.text
    assert facts(shared) == before
    assert sum("outcome=denied" in one for one in shared.audit()) >= len(ACTS)


def test_who_looks_at_options_is_not_written_down_as_denied(shared: Console) -> None:
    shared.login("operate")
    before = shared.audit()
    assert shared.get("/watchers/web/options").status == 200
    assert shared.audit() == before


def test_to_ask_for_the_head_is_to_get_no_body(shared: Console) -> None:
    shared.login()
    for path in ("/", "/watchers/web", "/static/console.css", "/nowhere"):
        head, whole = shared.ask("HEAD", path), shared.get(path)
        assert (head.status, head.body) == (whole.status, b""), path
        assert head.headers["Content-Type"] == whole.headers["Content-Type"]
    lines = f"HEAD /login HTTP/1.1\r\nHost: localhost:{shared.port}\r\nConnection: close\r\n\r\n"
    assert shared.raw(lines.encode()).endswith(b"\r\n\r\n")


def test_t53_a_stranger_is_not_told_which_machine_it_is(shared: Console) -> None:
    shared.cookies.clear()
    for path in ("/login", "/nowhere"):
        text = shared.get(path).text
        assert "<h1>" in text
        assert socket.gethostname() not in text
        assert shared.daemon.endpoint not in text


def test_t53_a_console_that_only_looks(consoles: Open) -> None:
    console = consoles("readonly = True\n").login("admin")
    console.daemon.wait_pids("web", 2)
    before = facts(console)
    assert console.post("/watchers/web/stop").status == 303
    page = console.get("/").text
    assert "this console only looks: its setting readonly is on" in page
    assert "/watchers/web/stop" not in page
    assert facts(console) == before


def test_t53_what_is_changed_is_on_record_without_values(console: Console) -> None:
    console.login("operate")
    console.post("/watchers/off/start")
    console.post("/watchers/nope/stop")
    console.post("/watchers/off/rm")
    lines = [one.partition(" from=127.0.0.1 ")[2] for one in console.audit()][1:]
    assert lines == [
        "verb=start target=off details=- outcome=begun",
        "verb=stop target=nope details=- outcome=refused",
        "verb=rm target=off details=- outcome=denied",
    ]
