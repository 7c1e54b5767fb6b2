"""`/api/v1/state` and `/api/v1/history`: what the console knows by itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

import falcon

from circus.access import Role
from circus.web.history import DAY, OWN, RECENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.web.parts import Parts


class StateReport:
    """`/api/v1/state`."""

    needs: ClassVar[Mapping[str, Role | None]] = {"GET": Role.READ}

    def __init__(self, parts: Parts) -> None:
        self._feed = parts.feed

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """What a stream begins with."""
        self._feed.look()
        resp.content_type = falcon.MEDIA_JSON
        resp.text = self._feed.board.document()


class HistoryReport:
    """`/api/v1/history`: of the watcher that is named, or of circusd."""

    needs: ClassVar[Mapping[str, Role | None]] = {"GET": Role.READ}

    def __init__(self, parts: Parts) -> None:
        self._feed = parts.feed

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Of the last `span` seconds; nothing yet of a watcher that has just come."""
        name = req.get_param("watcher", default=OWN)
        span = req.get_param_as_int("span", min_value=1, max_value=DAY.seconds) or RECENT.seconds
        self._feed.look()
        found = self._feed.history.read(name, time.time(), span)
        if found is None:
            if name != OWN and name not in self._feed.board.state.watchers:
                raise falcon.HTTPNotFound(title=f"There is no watcher {name!r}")
            found = {"step": RECENT.step, "at": [], "cpu": [], "rss": []}
        resp.media = found
