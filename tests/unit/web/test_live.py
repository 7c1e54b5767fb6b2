"""Who is answered with a stream, and who is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import falcon
import pytest
from falcon import testing

from circus.access import Role
from circus.web.application import parts_of
from circus.web.live import TRY_AGAIN, Live
from circus.web.reports import HistoryReport, StateReport
from circus.web.settings import Settings
from circus.web.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circus.web.parts import Parts

MANY = {"wsgi.multithread": True}


class Known:
    """Middleware: it is always the same who asks."""

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        req.context.visitor = Visitor("me", Role.READ)


@pytest.fixture
def parts() -> Iterator[Parts]:
    """Of a console whose circusd is nowhere, and which nobody has asked for anything."""
    found = parts_of(Settings(endpoint="ipc:///nowhere/x"))
    yield found
    found.close()


@pytest.fixture
def client(parts: Parts) -> testing.TestClient:
    app = falcon.App(middleware=[Known()])
    app.add_route("/live", Live(parts))
    app.add_route("/state", StateReport(parts))
    app.add_route("/history", HistoryReport(parts))
    return testing.TestClient(app)


def test_a_server_with_one_thread_has_none_for_a_stream(client: testing.TestClient) -> None:
    answer = client.simulate_get("/live")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == str(TRY_AGAIN)
    assert "/api/v1/state" in answer.json["description"]


def test_a_stream_ends_with_the_console(client: testing.TestClient, parts: Parts) -> None:
    parts.close()
    answer = client.simulate_get("/live", extras=MANY)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text == "retry: 1000\n\n"


def test_what_was_never_heard_of_has_no_history(client: testing.TestClient) -> None:
    assert client.simulate_get("/history?watcher=web").status_code == 404
    assert client.simulate_get("/history?span=0").status_code == 400
    assert client.simulate_get("/history?span=x").status_code == 400
    assert client.simulate_get("/history").json == {"step": 4, "at": [], "cpu": [], "rss": []}


def test_the_state_is_told_without_circusd(client: testing.TestClient) -> None:
    state = client.simulate_get("/state").json
    assert state["endpoint"] == "ipc:///nowhere/x"
    assert not state["live"]
    assert state["watchers"] == {}
