"""All of it as one WSGI application: what is found where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import falcon

from circus.web import assets, shelf
from circus.web.address import Addresses
from circus.web.api.figures import Counted
from circus.web.api.routes import add_api
from circus.web.audit import Audit
from circus.web.controller import Controller
from circus.web.errors import handle_errors
from circus.web.feed import Feed
from circus.web.guard import Guard
from circus.web.guesses import Guesses
from circus.web.live import Live
from circus.web.login import Login, Logout
from circus.web.pages.routes import add_pages
from circus.web.parts import Parts
from circus.web.render import Renderer
from circus.web.reports import HistoryReport, StateReport
from circus.web.sessions import Sessions
from circus.web.slashes import Slashes
from circus.web.streams import Streams
from circus.web.users import Users
from circus.web.util import Current
from circus.web.visitors import Visitors

if TYPE_CHECKING:
    from circus.web.settings import Settings

    Application = falcon.App[falcon.Request, falcon.Response]


def application(parts: Parts) -> Application:
    """What is found where; made once for each process. Raises CircusError."""
    addresses = Addresses(parts.settings)
    app = falcon.App()
    guard = Guard(parts, addresses, Visitors(parts, addresses))
    counted = Counted()
    for passed in (counted, Slashes(), guard, Current(parts)):
        app.add_middleware(passed)
    handle_errors(app, parts.render)
    for prefix in ("/static", assets.prefix()):
        app.add_static_route(prefix, assets.FOLDER)
    app.add_route("/login", Login(parts, Guesses()))
    app.add_route("/logout", Logout(parts))
    add_pages(app, parts)
    app.add_route("/live", Live(parts))
    app.add_route("/api/v1/state", StateReport(parts))
    app.add_route("/api/v1/history", HistoryReport(parts))
    add_api(app, parts, counted)
    return app


def parts_of(settings: Settings) -> Parts:
    """One of each; nothing is asked of circusd yet. Raises CircusError, OSError."""
    controller = Controller(settings.endpoint, settings.ssh)
    where = shelf.folder(settings.state_dir)
    sessions = Sessions(
        shelf.Shelf(where and where / "sessions.json"),
        shelf.key(where),
        idle=settings.session_idle,
        longest=settings.session_max,
    )
    feed = Feed(controller)
    return Parts(
        settings=settings,
        controller=controller,
        render=Renderer(feed, sessions, readonly=settings.readonly),
        sessions=sessions,
        audit=Audit(),
        users=Users(settings.password_file),
        feed=feed,
        streams=Streams(feed.board, feed.look, settings.streams),
    )
