"""The application of server.ini: greets by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyramid.config import Configurator
from pyramid.response import Response

if TYPE_CHECKING:
    from pyramid.request import Request


def hello(request: Request) -> Response:
    """Whoever is named in the path."""
    return Response(f"Hello {request.matchdict['name']}!\n", content_type="text/plain")


with Configurator() as config:
    config.add_route("hello", "/hello/{name}")
    config.add_view(hello, route_name="hello")
    application = config.make_wsgi_app()
