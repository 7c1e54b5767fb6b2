"""What every request has to pass and every answer carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circus.access import Role
from circus.web.visitor import Visitor

if TYPE_CHECKING:
    import falcon

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "interest-cohort=()",
    "Cache-Control": "no-store",
}


class Guard:
    """Middleware."""

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Say who asks."""
        req.context.visitor = Visitor("anybody", Role.READ)

    def process_response(
        self, _req: falcon.Request, resp: falcon.Response, _resource: object, _succeeded: object
    ) -> None:
        """Whatever is answered."""
        for name, value in HEADERS.items():
            if resp.get_header(name) is None:
                resp.set_header(name, value)
