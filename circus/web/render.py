"""Templates to pages. Whatever is put into one is escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jinja2

from circus import __version__
from circus.access import Role
from circus.web import assets
from circus.web.names import itself
from circus.web.pages.text import FILTERS, GLOBALS

if TYPE_CHECKING:
    import falcon

    from circus.web.feed import Feed
    from circus.web.sessions import Sessions


class Renderer:
    """Renders the templates of this package, and of whatever is added to `templates.loader`."""

    def __init__(self, feed: Feed, sessions: Sessions, *, readonly: bool) -> None:
        self._feed = feed
        self._sessions = sessions
        self._readonly = readonly
        self.templates = jinja2.Environment(
            loader=jinja2.PackageLoader("circus.web"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.templates.filters.update(FILTERS)
        self.templates.globals.update(GLOBALS)

    def __call__(self, template: str, req: falcon.Request, **values: Any) -> str:
        """The page, which also knows who asks, our version, and what is at the other end."""
        visitor = req.context.visitor
        live = values.get("live") or self._feed.state()
        around = {
            "version": __version__,
            "static": assets.prefix(),
            "visitor": visitor,
            "may_operate": visitor.may(Role.OPERATE) and not self._readonly,
            "may_admin": visitor.may(Role.ADMIN) and not self._readonly,
            "req": req,
            "itself": itself(req),
            "host": live.host,
            "endpoint": live.endpoint,
            "live": live,
            "messages": self._sessions.take(visitor),
        }
        return self.templates.get_template(template).render({**around, **values})
