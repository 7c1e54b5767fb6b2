"""A page of somebody else, as docs/web-console.md says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import falcon
import falcon.testing
import jinja2
import pytest

from circus.access import Role
from circus.web.actions import perform
from circus.web.application import parts_of
from circus.web.settings import Settings
from circus.web.util import Current, render_template, run_command
from circus.web.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.conftest import Open

DOCS = Path(__file__).parents[2] / "docs" / "web-console.md"


def documented(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found
    return found[1]


class SomebodyOf:
    """Middleware: a visitor whose session is known by its name."""

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        req.context.visitor = Visitor("ann", Role.ADMIN, "token", "session of ann")


@pytest.fixture
def client(consoles: Open) -> Iterator[falcon.testing.TestClient]:
    names: dict[str, Any] = {"Role": Role, "falcon": falcon, "perform": perform,
             "render_template": render_template, "run_command": run_command}  # fmt: skip
    exec(compile(documented("python"), str(DOCS), "exec"), names)  # noqa: S102 the manual's
    parts = parts_of(Settings(endpoint=consoles().daemon.endpoint))
    ours = parts.render.templates.loader
    assert ours
    theirs = jinja2.DictLoader({"hello.html": documented("html")})
    parts.render.templates.loader = jinja2.ChoiceLoader([theirs, ours])
    app = falcon.App(middleware=[SomebodyOf()])
    app.add_middleware(Current(parts))
    app.add_route("/hello", names["Hello"](parts))
    yield falcon.testing.TestClient(app)
    parts.close()


def test_the_page_of_the_manual_works(client: falcon.testing.TestClient) -> None:
    assert "<h1>Hello</h1>" in client.simulate_get("/hello").text
    answer = client.simulate_post("/hello")
    assert (answer.status_code, answer.headers["location"]) == (303, "/hello")
    text = client.simulate_get("/hello").text
    assert "web is being restarted." in text
    assert "web is being restarted." not in client.simulate_get("/hello").text
