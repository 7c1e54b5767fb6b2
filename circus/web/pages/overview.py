"""The first page: all watchers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from circus.web.pages.page import Page
from circus.web.pages.rows import COLUMNS, Query, Row, Tone, listed, rows_of, tally

if TYPE_CHECKING:
    import falcon

BLANK = Row("", Tone.OFF, SimpleNamespace(
    state="stopped", group="", ready=0, wanted=0, restarts=0, cpu=None, rss=None, changed=None,
    progress="", trouble="",
))  # fmt: skip
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
