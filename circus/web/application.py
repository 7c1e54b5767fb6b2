"""All of it as one WSGI application: what is found where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import falcon

from circus.web.controller import Controller
from circus.web.guard import Guard
from circus.web.pages.routes import add_pages
from circus.web.parts import Parts
from circus.web.render import Renderer

if TYPE_CHECKING:
    from circus.web.settings import Settings

    Application = falcon.App[falcon.Request, falcon.Response]

STATIC = Path(__file__).parent / "static"


def application(settings: Settings) -> Application:
    """Made once for each process; nothing is asked of circusd yet."""
    controller = Controller(settings.endpoint)
    parts = Parts(settings, controller, Renderer(controller))
    app = falcon.App(middleware=[Guard()])
    app.add_static_route("/static", STATIC)
    add_pages(app, parts)
    return app
