"""`/login` and `/logout`: in by a one-time link or with a password, and out again."""

from __future__ import annotations

import math
import secrets
import threading
from typing import TYPE_CHECKING, Any, ClassVar

import falcon

from circus.access import Role
from circus.exc import CallError
from circus.web.controller import Crowded, Refused
from circus.web.forms import fields
from circus.web.guesses import Guesses
from circus.web.names import itself, local
from circus.web.users import PASSWORD_MOST, Busy
from circus.web.visitor import Visitor
from circus.web.visitors import (
    LOGIN,
    cookie,
    drop_cookie,
    login_cookie,
    session_cookie,
    set_cookie,
    stamp_of_link,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.web.parts import Parts
    from circus.web.visitor import Need

REDEEM = "console-redeem"
PLACES = 4
"""Strangers who may have circusd asked at the same time: each holds a thread meanwhile."""
OVER = "Your login is over, or was for another circusd."
SILENT = "circusd does not answer at the moment; try again soon"


class Login:
    """`/login`. To look at it changes nothing: a link is used up by the button on the page."""

    needs: ClassVar[Mapping[str, Need]] = {"GET": None, "POST": None}

    def __init__(self, parts: Parts, guesses: Guesses) -> None:
        self._parts = parts
        self._guesses = guesses
        self._places = threading.Semaphore(PLACES)

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The forms, or to whom a link belongs."""
        visitor: Visitor = req.context.visitor
        ticket = req.get_param("ticket") or ""
        there = local(req.get_param("next"))
        if visitor.name and not ticket:
            raise falcon.HTTPSeeOther(there)
        if not visitor.csrf:
            secret = secrets.token_urlsafe(32)
            name = login_cookie(req.context.site)
            set_cookie(resp, req.context.site, name, secret)
            csrf = self._parts.sessions.token(LOGIN, secret)
            req.context.visitor = Visitor(csrf=csrf, address=visitor.address)
        was_in = not ticket and cookie(req, session_cookie(req.context.site))
        self._show(req, resp, there, ticket, OVER if was_in else "")

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Let somebody in, or say why not."""
        form = fields(req)
        there = local(form.get("next"))
        if form.get("ticket"):
            self._by_link(req, resp, form["ticket"], there)
        else:
            self._by_password(req, resp, form.get("user", ""), form.get("password", ""), there)

    def _by_link(self, req: falcon.Request, resp: falcon.Response, ticket: str, there: str) -> None:
        try:
            # circusd writes down every use: not for whoever has made one up
            self._holder(ticket)
            stamp = stamp_of_link(self._parts.controller)
            found = self._parts.controller.call(REDEEM, ticket=ticket, use=True)
        except (Refused, CallError) as error:
            who = Visitor(address=req.context.visitor.address)
            self._refuse(req, resp, who, _why(error), there, _status(error))
            return
        self._enter(req, resp, str(found["name"]), Role(found["role"]), there, stamp)

    def _holder(self, ticket: str) -> Mapping[str, Any]:
        """Whose it is. Raises Refused, CallError."""
        if not self._places.acquire(blocking=False):
            raise Crowded("too many people log in at the moment; try again soon")
        try:
            return self._parts.controller.call(REDEEM, ticket=ticket)
        finally:
            self._places.release()

    def _by_password(
        self, req: falcon.Request, resp: falcon.Response, user: str, password: str, there: str
    ) -> None:
        # what is nobody's name may be a password that was typed in the wrong place
        known = user if self._parts.users.find(user) else "unknown"
        who = Visitor(known, address=req.context.visitor.address)
        if len(password.encode("utf-8", "surrogatepass")) > PASSWORD_MOST:
            self._refuse(req, resp, who, f"A password has at most {PASSWORD_MOST} bytes.", there)
            return
        wait = math.ceil(self._guesses.begin(user, who.address))
        if wait:
            resp.set_header("Retry-After", str(wait))
            say = f"Too many wrong passwords. Try again in {wait} seconds."
            self._refuse(req, resp, who, say, there, falcon.HTTP_429)
            return
        try:
            entry = self._parts.users.check(user, password)
        except Busy as error:
            resp.set_header("Retry-After", "5")
            self._refuse(req, resp, who, f"{error}.", there, falcon.HTTP_503)
            return
        if entry is None or entry.role not in list(Role):
            self._refuse(req, resp, who, "The name or the password is wrong.", there)
            return
        self._guesses.right(user, who.address)
        self._enter(req, resp, entry.name, Role(entry.role), there, entry.stamp)

    def _enter(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        name: str,
        role: Role,
        there: str,
        stamp: str,
    ) -> None:
        """With a new session, whatever the browser came with."""
        sessions, site = self._parts.sessions, req.context.site
        before: Visitor = req.context.visitor
        if before.session:
            sessions.end(before.session)
        secret = sessions.begin(name, role, stamp=stamp)
        set_cookie(resp, site, session_cookie(site), secret)
        drop_cookie(resp, site, login_cookie(site))
        who = Visitor(name, role, address=before.address)
        self._parts.audit.changed(who, "login", role, outcome="done")
        resp.status = falcon.HTTP_303
        resp.location = there

    def _refuse(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        who: Visitor,
        why: str,
        there: str,
        status: str = falcon.HTTP_403,
    ) -> None:
        self._parts.audit.denied(who, "login")
        resp.status = status
        self._show(req, resp, there, "", why)

    def _show(
        self, req: falcon.Request, resp: falcon.Response, there: str, ticket: str, why: str = ""
    ) -> None:
        holder = None
        if ticket:
            try:
                holder = self._holder(ticket)
            except (Refused, CallError) as error:
                resp.status, why = _status(error), _why(error)
        resp.content_type = falcon.MEDIA_HTML
        resp.text = self._parts.render(
            "login.html",
            req,
            there=there,
            ticket=ticket if holder else "",
            holder=holder,
            why=why,
            again=itself(req) if is_from_elsewhere(req) else "",
            passwords=self._parts.settings.password_file is not None,
        )


class Logout:
    """`/logout`."""

    needs: ClassVar[Mapping[str, Need]] = {"POST": Role.READ}

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Whoever knows the secret of the session is a stranger now."""
        visitor: Visitor = req.context.visitor
        site = req.context.site
        self._parts.sessions.end(visitor.session)
        drop_cookie(resp, site, session_cookie(site))
        self._parts.audit.changed(visitor, "logout", "", outcome="done")
        raise falcon.HTTPSeeOther("/login")


def is_from_elsewhere(req: falcon.Request) -> bool:
    """Whether a link on another site led here: then the cookie of who has logged in stayed behind.

    From a page of ours it does not, so this one leads to itself.
    """
    return req.method == "GET" and req.get_header("SEC-FETCH-SITE") == "cross-site"


def _status(error: Exception) -> str:
    return falcon.HTTP_503 if isinstance(error, CallError) else falcon.HTTP_403


def _why(error: Exception) -> str:
    """Where circusd is, and why it does not answer, is nothing for strangers."""
    return SILENT if isinstance(error, CallError) and not isinstance(error, Crowded) else str(error)
