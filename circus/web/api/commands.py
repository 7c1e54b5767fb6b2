"""The commands of circusd as resources."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING

import falcon

from circus.web.actions import perform
from circus.web.api.operations import ROOT, operations
from circus.web.api.requests import accept_json, flag, properties
from circus.web.names import from_path, to_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from circus.access import Role
    from circus.web.actions import Reply
    from circus.web.api.operations import Operation
    from circus.web.parts import Parts


def resources(parts: Parts) -> Iterator[tuple[str, Resource]]:
    """What is to be added, and where."""
    by_path: dict[str, list[Operation]] = {}
    for route in operations():
        by_path.setdefault(route.path, []).append(route)
    for path, found in by_path.items():
        yield ROOT + path, Resource(parts, found)


class Resource:
    """One path with its methods: Falcon looks for a responder `on_get` and the like for each."""

    def __init__(self, parts: Parts, found: Sequence[Operation]) -> None:
        self._parts = parts
        self.needs: Mapping[str, Role | None] = {route.method: route.needs for route in found}
        for route in found:
            setattr(self, f"on_{route.method.lower()}", functools.partial(self._answer, route))

    def _answer(
        self, route: Operation, req: falcon.Request, resp: falcon.Response, name: str | None = None
    ) -> None:
        accept_json(req)
        name = None if name is None else from_path(name)
        given = properties(req, route, name)
        waits = route.command.waits
        reply = perform(
            self._parts,
            req.context.visitor,
            route.command.verb,
            given,
            waiting=waits and flag(req, "waiting"),
            dry_run=waits and flag(req, "dry_run"),
        )
        _write(resp, reply, route, name)


def _write(resp: falcon.Response, reply: Reply, route: Operation, name: str | None) -> None:
    fields = {key: value for key, value in reply.fields.items() if key != "id"}
    if not reply.finished:
        resp.status = falcon.HTTP_202
        fields["in_progress"] = route.command.verb
        watched = "" if name is None else f"/watchers/{to_path(name)}"
        resp.set_header("Location", f"{ROOT}{watched}/why")
    resp.content_type = falcon.MEDIA_JSON
    resp.data = json.dumps(fields).encode()
