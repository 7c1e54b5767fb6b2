"""What every request has to pass and every answer carries."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import falcon

from circus.web import assets
from circus.web.forms import fields
from circus.web.names import itself
from circus.web.sessions import same

if TYPE_CHECKING:
    from circus.web.address import Addresses, Site
    from circus.web.parts import Parts
    from circus.web.visitor import Need, Visitor
    from circus.web.visitors import Visitors

logger = logging.getLogger(__name__)

BODY_MOST = 64 * 1024
"""Bytes of a request."""
SAFE = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
ENDLESS = "/live"
FOR_EVER = "public, max-age=31536000, immutable"


class Guard:
    """Middleware. Nothing gets by: a resource that does not say what it takes is refused."""

    def __init__(self, parts: Parts, addresses: Addresses, visitors: Visitors) -> None:
        self._parts = parts
        self._addresses = addresses
        self._visitors = visitors

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Say who asks, and as what they know us."""
        site = self._addresses.site(req)
        if site is None:
            raise falcon.HTTPError(
                "421 Misdirected Request",
                title="Not this console",
                description="This console has another name; allowed_hosts lists further ones.",
            )
        if req.get_header("TRANSFER-ENCODING"):
            raise falcon.HTTPError(falcon.HTTP_411, title="Say how long the request is")
        if (req.content_length or 0) > BODY_MOST:
            raise falcon.HTTPError(falcon.HTTP_413, title=f"At most {BODY_MOST} bytes are taken")
        visitor = self._visitors.of(req, site)
        if is_foreign(req, site, bearer=visitor.bearer):
            self._parts.audit.denied(visitor, req.method, req.path)
            raise falcon.HTTPForbidden(
                title="Not from another site",
                description="This request does not come from a page of this console. Behind a "
                "proxy, let it pass Host on, and name it in trusted_proxies.",
            )
        req.context.visitor = visitor
        req.context.may_still = functools.partial(self._may_still, req, site)
        req.context.site = site
        if req.method == "HEAD" and req.path != ENDLESS:
            req.method = "GET"  # all the same, but for the body

    def process_resource(
        self, req: falcon.Request, _resp: falcon.Response, resource: object, _params: object
    ) -> None:
        """Let only those through who may."""
        if req.method == "OPTIONS":  # tells which methods there are, and does nothing
            return
        needs: dict[str, Need] | None = getattr(resource, "needs", None)
        if needs is None:
            logger.error("%s does not say what it takes", type(resource).__name__)
            raise falcon.HTTPForbidden(title="Nobody may", description="This page is shut.")
        if req.method not in needs:
            raise falcon.HTTPMethodNotAllowed(list(needs))
        visitor: Visitor = req.context.visitor
        need = needs[req.method]
        if not visitor.may(need):
            self._refuse(req, visitor, need)
        if req.method not in SAFE and not visitor.bearer and not same(_token(req), visitor.csrf):
            self._parts.audit.denied(visitor, req.method, req.path)
            raise falcon.HTTPForbidden(
                title="This page is too old",
                description="Go back, load the page again, and do it once more.",
            )

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, _resource: object, succeeded: object
    ) -> None:
        """Whatever is answered."""
        if req.env["REQUEST_METHOD"] == "HEAD":
            req.method = "HEAD"
            if resp.stream is not None and hasattr(resp.stream, "close"):
                resp.stream.close()
            resp.stream = None
        if req.path.startswith(f"{assets.prefix()}/") and succeeded:
            resp.set_header("Cache-Control", FOR_EVER)
        for name, value in HEADERS.items():
            if resp.get_header(name) is None:
                resp.set_header(name, value)

    def _may_still(self, req: falcon.Request, site: Site, need: Need) -> bool:
        """Whether who sent it may do that by now: they may have left, or been shut out."""
        try:
            return self._visitors.of(req, site).may(need)
        except falcon.HTTPUnauthorized:
            return False

    def _refuse(self, req: falcon.Request, visitor: Visitor, need: Need) -> None:
        if visitor.name:
            self._parts.audit.denied(visitor, req.method, req.path)
            raise falcon.HTTPForbidden(title="You may not", description=denial(visitor, need))
        if is_for_programs(req.path):
            raise falcon.HTTPUnauthorized(
                title="Who are you?",
                description="Log in at /login, or send a token: Authorization: Bearer TOKEN.",
                challenges=["Bearer"],
            )
        raise falcon.HTTPSeeOther(login_at(req))


def denial(visitor: Visitor, need: Need) -> str:
    """Why somebody may not."""
    has = f"may {visitor.role}" if visitor.role else "may do nothing here"
    return f"This takes the role {need}; you are {visitor.name}, who {has}."


def is_for_programs(path: str) -> bool:
    """Whether no person is expected to look at what is answered there."""
    return path.startswith("/api/") or path in (ENDLESS, "/healthz", "/readyz", "/metrics")


def is_foreign(req: falcon.Request, site: Site, *, bearer: bool) -> bool:
    """Whether the page of another site has sent it, or may have.

    A token is sent by no browser without being told to by somebody who knows it.
    """
    origin, fetched = req.get_header("ORIGIN"), req.get_header("SEC-FETCH-SITE")
    if req.method in SAFE:
        # others may have a link to us, but no picture, script or frame of ours
        elsewhere = fetched in ("cross-site", "same-site")
        mode, dest = req.get_header("SEC-FETCH-MODE"), req.get_header("SEC-FETCH-DEST")
        return elsewhere and (mode != "navigate" or dest not in ("document", None))
    if fetched not in ("same-origin", None):
        return True
    return origin != site.origin and not (bearer and origin is None)


def login_at(req: falcon.Request) -> str:
    """The page to log in at, which leads back to this one."""
    if req.method != "GET":
        return "/login"
    there = itself(req)
    return "/login" if there == "/" else f"/login?{urlencode({'next': there})}"


def _token(req: falcon.Request) -> str:
    """What came along of what we gave with the page; only a header can be elsewhere than a form."""
    header = req.get_header("X-CSRF-TOKEN")
    if header is not None:
        return header
    return fields(req).get("csrf", "")
