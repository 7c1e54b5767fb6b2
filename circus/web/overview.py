"""The first page: all watchers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import falcon

if TYPE_CHECKING:
    from circus.web.parts import Parts


class Overview:
    """`/`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The table, which reads without script."""
        watchers = self._parts.controller.call("why")["watchers"]
        resp.content_type = falcon.MEDIA_HTML
        resp.text = self._parts.render("overview.html", req, watchers=watchers)
