"""`/live`: the state and what changes in it, as server-sent events."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import falcon

from circus.access import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from circus.web.parts import Parts

TRY_AGAIN = 30
"""Seconds after which somebody for whom there is no stream may ask for one again."""


class Live:
    """`/live`."""

    needs: ClassVar[Mapping[str, Role | None]] = {"GET": Role.READ}

    def __init__(self, parts: Parts) -> None:
        self._streams = parts.streams

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """A stream that ends by itself after some minutes; 503 when there is no room for it."""
        visitor = req.context.visitor
        stream = None
        if req.env.get("wsgi.multithread"):  # else nobody else could ask meanwhile
            whose = visitor.session or f"{visitor.name}@{req.remote_addr}"
            last = req.get_header("Last-Event-ID") or req.get_param("last") or ""
            stream = self._streams.open(
                whose, last, _unsent(req), lambda: not req.context.may_still(Role.READ)
            )
        if stream is None:
            raise falcon.HTTPServiceUnavailable(
                title="No stream is free",
                description="Ask /api/v1/state every two seconds instead.",
                retry_after=TRY_AGAIN,
            )
        resp.content_type = "text/event-stream"
        resp.set_header("X-Accel-Buffering", "no")  # nginx
        resp.stream = stream


def _unsent(req: falcon.Request) -> Callable[[], int]:
    """How many bytes of the answer still lie in waitress; other servers do not tell."""
    channel = getattr(req.env.get("waitress.client_disconnected"), "__self__", None)
    return lambda: getattr(channel, "total_outbufs_len", 0)
