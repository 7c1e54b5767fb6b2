"""What a request says, as properties of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import falcon

from circus import wire
from circus.exc import MessageError
from circus.web.actions import named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.web.api.operations import Operation

FLAGS = ("waiting", "dry_run")
"""Of the query of whatever takes its time: answer when it is done; only tell what would be."""
_BOOLEANS = {"true": True, "false": False}


def properties(req: falcon.Request, route: Operation, name: str | None) -> dict[str, object]:
    """All of them. Raises MessageError, InvalidJSON, and HTTPError for a body of another kind."""
    flags = FLAGS if route.command.waits else ()
    query = {key: value for key, value in req.params.items() if key not in flags}
    if route.has_body:
        given: dict[str, object] = _body(req)
        strange = [*query, *(key for key in given if key not in route.rows)]
    else:
        given = {key: _from_query(route, key, value) for key, value in query.items()}
        strange = [key for key in given if key not in route.rows]
    if strange:
        raise route.command.unknown(strange[0])
    if name is None:
        return given
    return given | named(route.command, name)


def flag(req: falcon.Request, name: str) -> bool:
    """Whether the query says `name=true`. Raises MessageError."""
    value = req.params.get(name, "false")
    if not isinstance(value, str) or value not in _BOOLEANS:
        raise MessageError(f"{name!r} isn't a valid boolean")
    return _BOOLEANS[value]


def refuse_strange(req: falcon.Request, known: Mapping[str, object] | tuple[str, ...]) -> None:
    """Raises MessageError for what is in the query and means nothing."""
    for key in req.params:
        if key not in known:
            raise MessageError(f"unknown parameter {key[:40]!r}")


def accept_json(req: falcon.Request) -> None:
    """Raises HTTPNotAcceptable (406) for whoever wants something else."""
    if not req.client_accepts(falcon.MEDIA_JSON):
        raise falcon.HTTPNotAcceptable(description="Answers are application/json.")


def _from_query(route: Operation, key: str, value: Any) -> object:
    row = route.rows.get(key)
    if row is None:
        return value
    if row.kind.many and isinstance(value, str):
        return [value]
    if row.kind.name == "boolean" and isinstance(value, str):
        return _BOOLEANS.get(value, value)
    return value


def _body(req: falcon.Request) -> dict[str, Any]:
    data = req.bounded_stream.read()  # the guard has seen how long it is
    if not data:
        return {}
    kind = (req.content_type or "").partition(";")[0].strip().lower()
    if kind != falcon.MEDIA_JSON:
        raise falcon.HTTPUnsupportedMediaType(description="A body is application/json.")
    return wire.decode(data, "an object")
