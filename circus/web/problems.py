"""What went wrong, as RFC 9457 has it told: `application/problem+json`."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

import falcon

from circus import wire
from circus.exc import CallError, CircusError
from circus.web.controller import Crowded, Late, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_PROBLEM = "application/problem+json"
TYPE = "urn:circus:problem:"
RETRY_SECONDS = 2


class Kind(NamedTuple):
    """One kind of problem."""

    status: int
    title: str


SILENT, LATE, BUSY = "silent", "late", "busy"
KINDS: Mapping[str, Kind] = {
    "invalid-json": Kind(400, "The body is not JSON"),
    "message": Kind(400, "The request is wrong"),
    "denied": Kind(403, "Not allowed"),
    "not-found": Kind(404, "There is no such thing"),
    "unknown-command": Kind(404, "There is no such command"),
    "conflict": Kind(409, "Something stands in the way"),
    "os": Kind(422, "The operating system refused"),
    "hook": Kind(422, "A hook failed"),
    "failed": Kind(422, "It was begun and failed"),
    wire.INTERNAL: Kind(502, "A mistake of circusd's own, which its log tells about"),
    BUSY: Kind(503, "Too much is asked at once"),
    SILENT: Kind(503, "circusd does not answer"),
    LATE: Kind(504, "circusd has not answered in time"),
}
"""By `code`: those of circusd, then ours for what keeps it from answering."""
OLD = {1: "invalid-json", 2: "unknown-command", 3: "message", 4: "os", 5: "conflict", 6: "failed"}
"""What a circusd that sends no `code` means by its `errno`."""


class Problem(falcon.HTTPError):
    """An answer that says no."""

    def __init__(self, code: str, detail: str) -> None:
        kind = KINDS[code]
        again = {"Retry-After": str(RETRY_SECONDS)} if kind.status == 503 else None
        status = falcon.code_to_http_status(kind.status)
        super().__init__(status, title=kind.title, description=detail, headers=again)
        self.kind = f"{TYPE}{code}"


def problem_of(error: CircusError) -> Problem:
    """How what was raised is told."""
    code = _code(error)
    return Problem(code if code in KINDS else "failed", str(error))


def _code(error: CircusError) -> str:
    if isinstance(error, Refused):
        return error.word or OLD.get(error.number, "failed")
    if isinstance(error, Crowded):
        return BUSY
    if isinstance(error, Late):
        return LATE
    return SILENT if isinstance(error, CallError) else error.code


def title_of(error: falcon.HTTPError) -> str:
    """In a few words; Falcon has the status there by itself."""
    if error.title in (None, falcon.code_to_http_status(error.status)):
        return HTTPStatus(falcon.http_status_to_code(error.status)).phrase
    return str(error.title)


def told(error: falcon.HTTPError) -> dict[str, Any]:
    """The members of a problem."""
    title = title_of(error)
    return {
        "type": error.kind if isinstance(error, Problem) else "about:blank",
        "title": title,
        "status": falcon.http_status_to_code(error.status),
        "detail": error.description or title,
    }
