"""What went wrong, as programs are told."""

from __future__ import annotations

import falcon
import pytest

from circus.exc import CallError, CircusError, ConfigError, Denied, MessageError
from circus.web.controller import Crowded, Late, Refused
from circus.web.problems import KINDS, OLD, problem_of, told


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Refused("program x not found", 3, "not-found"), 404, "not-found"),
        (Refused("'nb' isn't an integer", 3, "message"), 400, "message"),
        (Refused("from circus 0.19", 3), 400, "message"),
        (Refused("from circus 0.19", 5), 409, "conflict"),
        (Refused("from a circusd of tomorrow", 6, "tired"), 422, "failed"),
        (Refused("internal error: KeyError: 1", 5, "internal"), 502, "internal"),
        (Denied("not you"), 403, "denied"),
        (MessageError("wrong"), 400, "message"),
        (ConfigError(["one", "two"]), 400, "message"),
        (CircusError("it failed"), 422, "failed"),
        (CallError("nobody listens"), 503, "silent"),
        (Late("too late"), 504, "late"),
        (Crowded("too many"), 503, "busy"),
    ],
)
def test_each_kind_has_its_status_and_its_type(error: CircusError, status: int, code: str) -> None:
    found = problem_of(error)
    members = told(found)
    assert (members["status"], members["type"]) == (status, f"urn:circus:problem:{code}")
    assert members["detail"] == str(error)
    assert ("Retry-After" in dict(found.headers or {})) == (status == 503)


def test_what_falcon_says_by_itself_is_told_in_the_same_way() -> None:
    assert told(falcon.HTTPNotFound()) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "Not Found",
    }


def test_every_number_of_an_old_circusd_means_something() -> None:
    assert set(OLD.values()) <= set(KINDS)
