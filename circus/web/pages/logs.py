"""The output of a watcher: its last lines, or those from some time on; a script follows it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from circus.exc import CircusError
from circus.web.logs.reading import STREAMS, Asked, Output, moment
from circus.web.pages.watcher import OneWatcher

if TYPE_CHECKING:
    import falcon


FIELD = "%Y-%m-%dT%H:%M:%S"
"""As a field for a local time has it."""


class LogsPage(OneWatcher):
    """`/watchers/NAME/logs`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, part: str) -> None:
        """What can be read, or why nothing can."""
        _, state, row = self.found(part)
        stream, since = req.get_param("stream"), req.get_param("since", default="")
        stream = stream if stream in STREAMS else None
        found, why, began = None, "", ""
        try:
            at = moment(since) if since else None
            found = Output(self._parts.controller, row.name).read(Asked(since=at, stream=stream))
            began = "" if at is None else datetime.fromtimestamp(at).astimezone().strftime(FIELD)
        except CircusError as error:
            why = str(error)
        self.show(
            req,
            resp,
            "logs.html",
            live=state,
            name=row.name,
            here="logs",
            row=row,
            found=found,
            why=why,
            stream=stream or "",
            streams=STREAMS,
            since=began,
            filter=req.get_param("filter", default=""),
        )
