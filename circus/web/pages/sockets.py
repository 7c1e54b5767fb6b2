"""The sockets that circusd holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circus.web.pages.page import Page
from circus.web.state import address_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import falcon

Told = dict[str, Any]


class Sockets(Page):
    """`/sockets`."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """By descriptor."""
        sockets = sockets_of(self.ask("listsockets")["sockets"])
        self.show(req, resp, "sockets.html", sockets=sockets)


def sockets_of(answer: Iterable[Told]) -> list[Told]:
    """For a table."""
    return [
        {
            "name": one["name"],
            "address": address_of(one),
            "fd": one["fd"],
            "queue": one.get("queue"),
            "backlog": one["backlog"],
            "hits": one.get("hits"),
        }
        for one in answer
    ]
