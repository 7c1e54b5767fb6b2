"""From a request to who has sent it: by a token, by a proxy's word, or by a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import falcon

from circus.access import Role
from circus.web.users import NAME
from circus.web.visitor import METRICS, Visitor

if TYPE_CHECKING:
    from circus.web.address import Addresses, Site
    from circus.web.controller import Controller
    from circus.web.parts import Parts
    from circus.web.sessions import Session

LOGIN = "login"
"""The purpose of the token of who is about to log in."""
SESSION = "session"
PROXY = "proxy:"
"""What names begin with of those whom a proxy has let in, who have no session here."""


class Visitors:
    """Knows everybody."""

    def __init__(self, parts: Parts, addresses: Addresses) -> None:
        self._parts = parts
        self._addresses = addresses

    def of(self, req: falcon.Request, site: Site) -> Visitor:
        """Who asks. Raises HTTPUnauthorized for a token that is nobody's."""
        address = self._addresses.sender(req)
        scheme, _, token = (req.auth or "").partition(" ")
        if scheme.lower() == "bearer":
            return self._bearer(token.strip(), address)
        return (
            self._proxied(req, address)
            or self._with_session(req, site, address)
            or self._stranger(req, site, address)
        )

    def _bearer(self, token: str, address: str) -> Visitor:
        entry = self._parts.users.holder(token)
        if entry is None:
            self._parts.audit.denied(Visitor(address=address), "token")
            raise falcon.HTTPUnauthorized(
                title="Nobody has this token",
                description="This token is not known here; circushttpd token makes one.",
                challenges=["Bearer"],
            )
        metrics = entry.role == METRICS or self._parts.settings.metrics_open
        return Visitor(entry.name, _role(entry.role), address=address, bearer=True, metrics=metrics)

    def _proxied(self, req: falcon.Request, address: str) -> Visitor | None:
        header = self._parts.settings.proxy_user_header
        if not header or not self._addresses.is_proxy(req):
            return None
        name = (req.get_header(header) or "").strip()
        if not NAME.fullmatch(name):
            return None
        entry = self._parts.users.find(name)
        role = _role(entry.role if entry else self._parts.settings.proxy_role)
        csrf = self._parts.sessions.token(PROXY, name)
        return Visitor(name, role, csrf, f"{PROXY}{name}", address)

    def _with_session(self, req: falcon.Request, site: Site, address: str) -> Visitor | None:
        secret = cookie(req, session_cookie(site))
        found = self._parts.sessions.find(secret) if secret else None
        if found is None:
            return None
        one, session = found
        role = self._still(session)
        if role is None:
            return None
        csrf = self._parts.sessions.token(SESSION, secret)
        return Visitor(session.name, role, csrf, one, address)

    def _still(self, session: Session) -> Role | None:
        """What somebody who has logged in may do by now."""
        if session.stamp == stamp_of_link(self._parts.controller):
            return session.role
        entry = self._parts.users.find(session.name)
        if entry is None or entry.stamp != session.stamp:
            return None  # removed since, or has another password, or is known to another circusd
        return _role(entry.role)

    def _stranger(self, req: falcon.Request, site: Site, address: str) -> Visitor:
        secret = cookie(req, login_cookie(site))
        csrf = self._parts.sessions.token(LOGIN, secret) if secret else ""
        return Visitor(csrf=csrf, address=address, metrics=self._parts.settings.metrics_open)


def stamp_of_link(controller: Controller) -> str:
    """Of a session that a circusd vouches for: it says nothing about what to do with another."""
    return f"link {controller.reach.server or ''} {controller.endpoint}"


def cookie(req: falcon.Request, name: str) -> str:
    """What it holds; nothing when there are several, of which one was put there by somebody."""
    values = req.get_cookie_values(name) or []
    return values[0] if len(values) == 1 else ""


def session_cookie(site: Site) -> str:
    """Cookies do not tell ports apart, so the name has to."""
    return "__Host-circus" if site.scheme == "https" else f"circus-{site.port}"


def login_cookie(site: Site) -> str:
    """Of who is about to log in."""
    return f"{session_cookie(site)}-login"


def set_cookie(resp: falcon.Response, site: Site, name: str, value: str) -> None:
    """One that only we get back, only from our own pages, and that no script reads."""
    secure = site.scheme == "https"
    resp.set_cookie(name, value, path="/", secure=secure, http_only=True, same_site="Strict")


def drop_cookie(resp: falcon.Response, site: Site, name: str) -> None:
    """Have it forgotten."""
    secure = site.scheme == "https"
    resp.set_cookie(
        name, "", path="/", secure=secure, http_only=True, same_site="Strict", max_age=-1
    )


def _role(word: str | None) -> Role | None:
    return Role(word) if word in list(Role) else None
