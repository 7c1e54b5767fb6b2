"""The first page: all watchers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circus.web.pages.page import Page
from circus.web.pages.rows import COLUMNS, Query, Row, Tone, listed, rows_of, tally
from circus.web.state import WatcherState

if TYPE_CHECKING:
    import falcon

BLANK = Row("", Tone.OFF, WatcherState("stopped"))
"""What a script makes rows of watchers from that come later."""


class Overview(Page):
    """`/`, which reads and works without script."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Those that the address asks for, in its order."""
        state, query = self.state(), Query.of(req)
        rows = rows_of(state.watchers)
        self.show(
            req,
            resp,
            "overview.html",
            live=state,
            query=query,
            columns=COLUMNS,
            rows=listed(rows, query),
            tally=tally(rows),
            total=len(rows),
            blank=BLANK,
        )
