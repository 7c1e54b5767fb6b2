"""Requests that are refused before any resource sees them; the rest is in tests/web."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import falcon
import falcon.testing
import pytest

from circus.access import Role
from circus.web.application import application, parts_of
from circus.web.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circus.web.parts import Parts


class Shut:
    """It does not say what it takes."""

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        resp.text = "secret"


class Open(Shut):
    """It takes nothing of whoever looks, and says nothing about the rest."""

    needs: ClassVar[dict[str, Role | None]] = {"GET": None}

    def on_post(self, _req: falcon.Request, resp: falcon.Response) -> None:
        resp.text = "secret"


class Broken(Open):
    def on_get(self, _req: falcon.Request, _resp: falcon.Response) -> None:
        raise RuntimeError("hunter2")


@pytest.fixture
def parts() -> Iterator[Parts]:
    found = parts_of(Settings(endpoint="ipc:///nowhere"))
    yield found
    found.close()


@pytest.fixture
def client(parts: Parts) -> falcon.testing.TestClient:
    app: Any = application(parts)
    app.add_route("/shut", Shut())
    app.add_route("/open", Open())
    app.add_route("/api/broken", Broken())
    app.add_route("/broken", Broken())
    return falcon.testing.TestClient(app, headers={"Host": "localhost:8080"})


def test_a_resource_that_does_not_say_what_it_takes_is_shut(
    client: falcon.testing.TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.simulate_get("/shut")
    assert answer.status_code == 403
    assert "secret" not in answer.text
    assert "Shut does not say what it takes" in caplog.text


def test_so_is_a_method_that_it_says_nothing_about(client: falcon.testing.TestClient) -> None:
    assert client.simulate_get("/open").text == "secret"
    answer = client.simulate_post("/open", headers={"Origin": "http://localhost:8080"})
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET"


def test_a_body_of_which_nobody_says_how_long_it_is_is_refused(
    client: falcon.testing.TestClient,
) -> None:
    answer = client.simulate_post("/open", headers={"Transfer-Encoding": "chunked"})
    assert answer.status_code == 411


def test_a_body_that_is_too_long_is_refused(client: falcon.testing.TestClient) -> None:
    answer = client.simulate_post("/open", headers={"Content-Length": "65537"})
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/broken", "/api/broken"])
def test_our_own_mistakes_are_one_sentence_with_a_number_that_the_log_has(
    client: falcon.testing.TestClient, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    answer = client.simulate_get(path, headers={"Accept": "*/*"})
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    (line,) = [one for one in caplog.records if one.name == "circus.web.errors"]
    number = line.getMessage().rpartition("(")[2].rstrip(")")
    assert f"Its log has more on this, under {number}." in answer.text
    assert "hunter2" in caplog.text
