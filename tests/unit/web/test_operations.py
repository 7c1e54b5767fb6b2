"""Where commands are found, and how names get into paths and out of them."""

from __future__ import annotations

from urllib.parse import quote

import falcon
import falcon.testing
import pytest

from circus.access import Role
from circus.commands import COMMANDS, find
from circus.web.actions import ELSEWHERE
from circus.web.api.operations import operations
from circus.web.names import from_path, to_path
from circus.web.slashes import Slashes


def test_every_command_has_a_place_or_a_reason_why_not() -> None:
    placed = {one.command.verb for one in operations()}
    assert placed | set(ELSEWHERE) == {one.verb for one in COMMANDS}
    assert placed & set(ELSEWHERE) == set()


def test_t53_by_get_nothing_is_changed() -> None:
    for one in operations():
        reads = one.method == "GET"
        assert reads != one.command().changes, one.path
        assert one.command.role is Role.READ or not reads or one.command is find("plan")


def test_no_two_operations_are_in_one_place() -> None:
    places = [(one.method, one.path) for one in operations()]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("name", ["web", "a/b", "50%", "50%41", "%2F", "..", "☃", "a b", "a//b"])
def test_a_name_comes_out_of_a_path_as_it_went_in(name: str) -> None:
    path = f"/watchers/{to_path(name)}/status"
    for sent in ({"REQUEST_URI": f"{path}?a=%2F"}, {"RAW_URI": path}, {}):
        req = falcon.testing.create_req(path=path)
        req.env.update(sent)
        Slashes().process_request(req, falcon.Response())
        empty, watchers, part, status = req.path.split("/")
        assert (empty, watchers, from_path(part), status) == ("", "watchers", name, "status")


def test_a_slash_that_is_encoded_once_is_kept_apart_where_the_server_tells() -> None:
    path = f"/watchers/{quote('a/b', safe='')}/status"
    req = falcon.testing.create_req(path=path)
    req.env["REQUEST_URI"] = path
    Slashes().process_request(req, falcon.Response())
    assert from_path(req.path.split("/")[2]) == "a/b"
    req.path = "/other"  # somebody has rewritten it
    Slashes().process_request(req, falcon.Response())
    assert req.path == "/other"
