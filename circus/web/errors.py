"""What is answered when something is wrong: a page for people, JSON (RFC 9457) for programs."""

from __future__ import annotations

import json
import logging
import secrets
from typing import TYPE_CHECKING, Any

import falcon

from circus.exc import CallError, CircusError
from circus.record import plain
from circus.web.controller import Refused
from circus.web.guard import is_for_programs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.web.application import Application
    from circus.web.render import Renderer

logger = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
STATUSES = {
    "denied": falcon.HTTP_403,
    "not-found": falcon.HTTP_404,
    "message": falcon.HTTP_400,
    "unknown-command": falcon.HTTP_404,
    "conflict": falcon.HTTP_409,
}
"""By the `code` of what was raised; else it is no mistake of whoever asks."""


def handle_errors(app: Application, render: Renderer) -> None:
    """Nobody ever reads a traceback."""

    def serialize(req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError) -> None:
        status = falcon.code_to_http_status(error.status)
        title, text = error.title or status.partition(" ")[2], error.description or ""
        if is_for_programs(req.path):
            resp.content_type = PROBLEM
            resp.text = json.dumps(problem(status, title, text))
        elif hasattr(req.context, "visitor") and req.client_accepts(falcon.MEDIA_HTML):
            resp.content_type = falcon.MEDIA_HTML
            number = int(status.split()[0])
            resp.text = render("error.html", req, title=title, text=text, status=number)
        else:
            resp.content_type = falcon.MEDIA_TEXT
            resp.text = f"{title}. {text}\n" if text else f"{title}.\n"

    def refused(
        _req: falcon.Request, _resp: falcon.Response, error: Exception, _params: object
    ) -> None:
        raise as_http(error)

    def failed(
        req: falcon.Request, _resp: falcon.Response, error: Exception, _params: object
    ) -> None:
        number = secrets.token_hex(4)
        logger.error(
            "Cannot answer %s %s (%s)", req.method, plain(req.path), number, exc_info=error
        )
        raise falcon.HTTPInternalServerError(
            title="Something is wrong inside the console",
            description=f"Its log has more on this, under {number}.",
        )

    app.set_error_serializer(serialize)
    app.add_error_handler(Exception, failed)
    app.add_error_handler(CircusError, refused)


def problem(status: str, title: str, detail: str = "") -> Mapping[str, Any]:
    """As RFC 9457 has it."""
    found = {"type": "about:blank", "title": title, "status": int(status.split()[0])}
    return {**found, "detail": detail} if detail else found


def as_http(error: Exception) -> falcon.HTTPError:
    """What one of ours is on the web; the sentence stays."""
    if isinstance(error, CallError):
        return falcon.HTTPServiceUnavailable(
            title="circusd does not answer", description=str(error), retry_after=3
        )
    code = error.code if isinstance(error, CircusError) else ""
    code = (isinstance(error, Refused) and error.word) or code
    status = STATUSES.get(code, falcon.HTTP_409)
    return falcon.HTTPError(status, title="This was refused", description=str(error))
