"""For pages that others add to the console: what is asked, answered and told in few words.

Both functions belong to the request that this thread answers.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

import falcon

from circus.exc import CircusError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from circus.web.parts import Parts


class _Current(NamedTuple):
    parts: Parts
    req: falcon.Request
    resp: falcon.Response


_current: ContextVar[_Current] = ContextVar("current")


class Current:
    """Middleware: remembers what each thread is about."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """From here on until the next one."""
        _current.set(_Current(self._parts, req, resp))


def render_template(template: str, **values: Any) -> str:
    """The page, with these values and with those that every page knows: see base.html."""
    parts, req, _ = _current.get()
    return parts.render(template, req, **values)


def run_command(command: Callable[[], object], message: str, redirect_url: str) -> None:
    """Call it, then go on to that page, which shows the message, or the error if there was one."""
    try:
        command()
        told = [(message, "done")]
    except CircusError as error:
        told = [(str(error), "refused")]
    tell_and_go(told, redirect_url)


def tell_and_go(told: Iterable[tuple[str, str]], redirect_url: str) -> None:
    """Texts, each with its kind (`done` or `refused`); a script gets them at once, as JSON."""
    parts, req, resp = _current.get()
    if not req.client_accepts(falcon.MEDIA_HTML):
        resp.media = {"messages": [{"text": text, "kind": kind} for text, kind in told]}
        return
    for text, kind in told:
        parts.sessions.tell(req.context.visitor, text, kind)
    raise falcon.HTTPSeeOther(redirect_url)
