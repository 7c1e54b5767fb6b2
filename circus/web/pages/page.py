"""What all pages have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import falcon

from circus.access import Role
from circus.exc import CallError
from circus.web.feed import UNHEARD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.web.parts import Parts
    from circus.web.state import State

Told = dict[str, Any]

FIRST = 2.0
"""Seconds for which the first page of all waits for the first news of circusd."""


class Page:
    """A resource that answers with a page."""

    needs: ClassVar[Mapping[str, Role | None]] = {"GET": Role.READ}

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def state(self) -> State:
        """Of everything. Raises CallError when nothing was ever heard of circusd."""
        state = self._parts.feed.until(lambda one: one.reason != UNHEARD, FIRST)
        if not state.live and not state.since:
            raise CallError(state.reason)
        return state

    def ask(self, verb: str, **properties: Any) -> Told:
        """What circusd answers. Raises CallError, at once when it is known to be away; Refused."""
        state = self.state()
        if not state.live:
            raise CallError(state.reason)
        return self._parts.controller.call(verb, **properties)

    def show(
        self, req: falcon.Request, resp: falcon.Response, template: str, **values: Any
    ) -> None:
        """Answer with a template."""
        resp.content_type = falcon.MEDIA_HTML
        resp.text = self._parts.render(template, req, **values)
