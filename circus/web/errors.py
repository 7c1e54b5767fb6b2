"""What is answered when something is wrong: a page for people, JSON (RFC 9457) for programs."""

from __future__ import annotations

import json
import logging
import secrets
from typing import TYPE_CHECKING

import falcon

from circus.exc import CircusError
from circus.record import plain
from circus.web.guard import is_for_programs
from circus.web.problems import MEDIA_PROBLEM, problem_of, title_of, told

if TYPE_CHECKING:
    from circus.web.application import Application
    from circus.web.render import Renderer

logger = logging.getLogger(__name__)


def handle_errors(app: Application, render: Renderer) -> None:
    """Nobody ever reads a traceback."""

    def serialize(req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError) -> None:
        title, text = title_of(error), error.description or ""
        if is_for_programs(req.path):
            resp.content_type = MEDIA_PROBLEM
            resp.text = json.dumps(told(error))
        elif hasattr(req.context, "visitor") and req.client_accepts(falcon.MEDIA_HTML):
            resp.content_type = falcon.MEDIA_HTML
            number = falcon.http_status_to_code(error.status)
            resp.text = render("error.html", req, title=title, text=text, status=number)
        else:
            resp.content_type = falcon.MEDIA_TEXT
            resp.text = f"{title}. {text}\n" if text else f"{title}.\n"

    def refused(
        _req: falcon.Request, _resp: falcon.Response, error: CircusError, _params: object
    ) -> None:
        raise problem_of(error)

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
