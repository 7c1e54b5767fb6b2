"""What all pages have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import falcon

from circus.access import Role
from circus.web.pages import now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.web.parts import Parts

Told = dict[str, Any]


class Page:
    """A resource that answers with a page."""

    needs: ClassVar[Mapping[str, Role | None]] = {"GET": Role.READ}

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def state(self) -> Any:
        """Of everything. Raises CallError when nothing was ever heard of circusd."""
        return now.state(self._parts.controller)

    def ask(self, verb: str, **properties: Any) -> Told:
        """What circusd answers. Raises CallError, Refused."""
        return self._parts.controller.call(verb, **properties)

    def show(
        self, req: falcon.Request, resp: falcon.Response, template: str, **values: Any
    ) -> None:
        """Answer with a template."""
        resp.content_type = falcon.MEDIA_HTML
        resp.text = self._parts.render(template, req, **values)
