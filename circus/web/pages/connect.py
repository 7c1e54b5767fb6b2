"""Which circusd the console talks to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

import falcon

from circus.access import Role
from circus.endpoints import candidates
from circus.reach import unreachable
from circus.web.actions import ONLY_LOOKS
from circus.web.forms import fields
from circus.web.pages.act import Forms
from circus.web.util import tell_and_go

if TYPE_CHECKING:
    from collections.abc import Mapping


class Connect(Forms):
    """`/connect`."""

    needs: ClassVar[Mapping[str, Role | None]] = {"GET": Role.READ, "POST": Role.ADMIN}

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The one in use, and those of this machine."""
        controller = self._parts.controller
        usual = candidates(None, os.environ, os.geteuid())
        self.show(
            req,
            resp,
            "connect.html",
            obstacle=controller.reach.obstacle(controller.endpoint),
            remote=controller.reach.server,
            usual=usual[0],
            found=[one for one in usual if unreachable(one) is None],
        )

    def on_post(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """From now on that one, for everybody who looks here, unless nobody answers there."""
        endpoint = fields(req).get("endpoint", "").strip()
        shut = ONLY_LOOKS if self._parts.settings.readonly else None
        obstacle = shut or _unfit(endpoint) or self._parts.controller.reach.obstacle(endpoint)
        outcome = "refused" if obstacle else "done"
        self._parts.audit.changed(req.context.visitor, "connect", endpoint, outcome=outcome)
        if obstacle:
            tell_and_go([(f"Nothing has changed: {obstacle}", "refused")], "/connect")
            return
        self._parts.feed.connect(endpoint)
        tell_and_go([(f"Connected to {endpoint}.", "done")], "/")


class Disconnect(Forms):
    """`/disconnect`, as the console of circus 0.6 had it: another one can be chosen."""

    def on_get(self, _req: falcon.Request, _resp: falcon.Response) -> None:
        """Nothing is done."""
        raise falcon.HTTPSeeOther("/connect")


def _unfit(endpoint: str) -> str | None:
    if endpoint.startswith(("ipc:///", "tcp://")) and endpoint.isprintable():
        return None
    return f"{endpoint[:80]!r} is not an endpoint: ipc:///path/of/a/socket or tcp://host:port"
