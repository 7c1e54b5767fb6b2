"""OpenAPI 3.1 of what is below /api/v1, read off the table of commands.

Run as a module, it writes docs/reference/openapi.json; a test fails when that file is stale.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import falcon

from circus import __version__
from circus.access import Role
from circus.web.api.operations import ROOT, operations
from circus.web.api.requests import accept_json, refuse_strange
from circus.web.history import DAY, RECENT
from circus.web.logs.line import SEVERITIES
from circus.web.logs.reading import BOTH, LINES_MAX, STREAMS
from circus.web.logs.reading import LINES as LINES_FIRST
from circus.web.problems import KINDS, MEDIA_PROBLEM, TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from circus.commands.command import Argument
    from circus.web.api.operations import Operation

    Json = dict[str, Any]

FILE = Path(__file__).parents[3] / "docs" / "reference" / "openapi.json"

INTRODUCTION = """\
What circusctl does, over HTTP. Answers are those of circusd; what a command means is told in
docs/reference/commands.md, how to log in and what else there is in docs/web-api.md."""

ANSWER: Json = {
    "type": "object",
    "description": "The fields of circusd's answer.",
    "properties": {"status": {"type": "string"}, "time": {"type": "number"}},
    "required": ["status", "time"],
}
BEGUN: Json = {
    **ANSWER,
    "description": "It has begun and goes on.",
    "properties": {**ANSWER["properties"], "in_progress": {"type": "string"}},
    "required": ["status", "time", "in_progress"],
}
PROBLEM: Json = {
    "type": "object",
    "description": "RFC 9457: what went wrong.",
    "properties": {
        "type": {"enum": ["about:blank", *(f"{TYPE}{code}" for code in KINDS)]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence."},
    },
    "required": ["type", "title", "status", "detail"],
    "additionalProperties": False,
}
LINES: Json = {
    "type": "object",
    "description": "Some lines of output.",
    "properties": {
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "stream": {"enum": [*STREAMS, BOTH]},
                    "text": {"type": "string"},
                    "at": {"type": ["number", "null"], "description": "Seconds since 1970."},
                    "severity": {"enum": [*SEVERITIES, None]},
                },
                "required": ["stream", "text", "at", "severity"],
            },
        },
        "cursor": {"type": "string", "description": "Where to go on next time."},
        "more": {"type": "boolean", "description": "Whether there is more already."},
        "gap": {"type": "boolean", "description": "Whether lines before these may be missing."},
    },
    "required": ["lines", "cursor", "more", "gap"],
    "additionalProperties": False,
}
NAME: Json = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "The watcher's name, percent-encoded.",
    "schema": {"type": "string", "minLength": 1},
}
STATE: Json = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "at": {"type": "number", "description": "Seconds since 1970."},
        "live": {"type": "boolean", "description": "Whether circusd is heard."},
        "reason": {"type": "string", "description": "Why not."},
        "watchers": {"type": "object"},
        "sockets": {"type": "object"},
    },
    "required": ["id", "at", "live", "reason", "watchers", "sockets"],
}
SERIES: Json = {"type": "array", "items": {"type": ["number", "null"]}}
HISTORY: Json = {
    "type": "object",
    "properties": {"step": {"type": "number"}, "at": SERIES, "cpu": SERIES, "rss": SERIES},
    "required": ["step", "at", "cpu", "rss"],
}
SESSION: Json = {
    "type": "apiKey",
    "in": "cookie",
    "name": "__Host-circus",
    "description": "Of a browser that has logged in; without TLS it is called circus-PORT. "
    "A change wants the headers Origin and X-CSRF-Token, too.",
}
PATH_NAME: Json = {"$ref": "#/components/parameters/Name"}
ERRORS: Mapping[int, str] = {
    400: "The request is wrong.",
    401: "Nobody is logged in.",
    403: "Not allowed, or not this way.",
    404: "There is no such watcher, worker or option.",
    405: "Another method is called for; see the header Allow.",
    406: "The answer cannot be what the header Accept asks for.",
    411: "The header Content-Length is missing.",
    409: "Something else stands in the way.",
    413: "The body is too large.",
    415: "The body is of another type than JSON.",
    421: "The header Host names another site.",
    422: "circusd has begun, and it failed.",
    429: "Too many wrong passwords or tokens.",
    502: "A mistake of circusd's own, which its log tells about.",
    503: "circusd does not answer, or too much is asked; see the header Retry-After.",
    504: "circusd has not answered in time.",
}
OF_BODIES = (415,)
BY_THE_SERVER = (413,)
"""Those that the server may answer before it asks us, in plain text."""
FLAGS = {
    "waiting": "Answer when it is done, if that takes no longer than a few seconds.",
    "dry_run": "Only tell what would be done, as `steps`.",
}


def document() -> Json:
    """The whole of it."""
    paths: dict[str, Json] = {}
    for route in operations():
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Circus",
            "version": __version__,
            "description": INTRODUCTION.replace("\n", " "),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": ROOT}],
        "security": [{"token": []}, {"session": []}],
        "paths": {**paths, **_logs(), **_reports()},
        "components": {
            "schemas": {"Answer": ANSWER, "Begun": BEGUN, "Lines": LINES, "Problem": PROBLEM},
            "parameters": {"Name": NAME},
            "responses": {f"E{status}": _error(status, text) for status, text in ERRORS.items()},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": SESSION,
            },
        },
    }


def failures(statuses: Iterable[int]) -> Json:
    """The responses that say no."""
    return {str(one): {"$ref": f"#/components/responses/E{one}"} for one in statuses}


def of_schema(name: str, text: str, media: str = falcon.MEDIA_JSON) -> Json:
    """A response in JSON."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": text, "content": {media: {"schema": schema}}}


def _error(status: int, text: str) -> Json:
    found = of_schema("Problem", text, MEDIA_PROBLEM)
    if status in BY_THE_SERVER:
        found["content"][falcon.MEDIA_TEXT] = {"schema": {"type": "string"}}
    return found


def parameter(name: str, schema: Json, text: str, *, required: bool = False) -> Json:
    """One of the query."""
    found = {"name": name, "in": "query", "description": text, "schema": schema}
    return {**found, "required": True} if required else found


def _operation(route: Operation) -> Json:
    command = route.command
    parameters: list[Json] = [PATH_NAME] if route.named else []
    if not route.has_body:
        parameters += [_in_query(row) for row in route.rows.values()]
    if command.waits:
        flag = {"type": "boolean", "default": False}
        parameters += [parameter(name, flag, text) for name, text in FLAGS.items()]
    about = (command.run.__doc__ or "").strip()
    responses = {"200": of_schema("Answer", about)}
    if command.waits:
        responses["202"] = of_schema("Begun", "It has begun and goes on; see the header Location.")
    kept = [one for one in ERRORS if route.has_body or one not in OF_BODIES]
    found: Json = {
        "operationId": _identifier(route),
        "summary": command.title(),
        "description": "\n\n".join(filter(None, [command.prose(), f"Role: {route.needs}."])),
        "tags": ["watchers" if route.named or route.path == "/watchers" else "circusd"],
        "parameters": parameters,
        "responses": {**responses, **failures(kept)},
    }
    if route.has_body and route.rows:
        found["requestBody"] = _body(route)
    return found


def _reports() -> dict[str, Json]:
    """What the console knows by itself."""
    watcher = parameter("watcher", {"type": "string"}, "One of them; circusd unless given.")
    length = {"type": "integer", "minimum": 1, "maximum": DAY.seconds, "default": RECENT.seconds}
    span = parameter("span", length, "The last so many seconds.")
    return {
        "/state": {"get": _report("state", "Get the state of everything", STATE, [])},
        "/history": {"get": _report("history", "Get CPU and memory", HISTORY, [watcher, span])},
    }


def _report(name: str, summary: str, schema: Json, parameters: list[Json]) -> Json:
    answer = {"description": summary, "content": {falcon.MEDIA_JSON: {"schema": schema}}}
    kept = failures(one for one in ERRORS if one not in OF_BODIES)
    return {
        "operationId": name,
        "summary": summary,
        "description": f"As the console has followed it. Role: {Role.READ}.",
        "tags": ["console"],
        "parameters": parameters,
        "responses": {"200": answer, **kept},
    }


def _logs() -> dict[str, Json]:
    """Output, which is no affair of circusd's."""
    number = {"type": "integer", "minimum": 1, "maximum": LINES_MAX, "default": LINES_FIRST}
    text = {"type": "string"}
    stream = parameter("stream", {"enum": list(STREAMS)}, "One of them only.")
    answers = {"200": of_schema("Lines", "The last lines, or those after the cursor.")}
    raw = {"description": "As it is.", "content": {falcon.MEDIA_TEXT: {"schema": text}}}
    kept = failures(one for one in ERRORS if one not in OF_BODIES)
    shared: Json = {"tags": ["watchers"], "description": f"Role: {Role.READ}."}
    following: Json = {
        **shared,
        "operationId": "logsWatcher",
        "summary": "Get the output of a watcher, piece by piece",
        "parameters": [
            PATH_NAME,
            parameter("cursor", text, "From the answer before; without it the last lines come."),
            parameter("lines", number, "At most so many."),
            parameter("since", text, "Begin at this time: ISO 8601, or seconds since 1970."),
            stream,
        ],
        "responses": {**answers, **kept},
    }
    whole: Json = {
        **shared,
        "operationId": "rawLogsWatcher",
        "summary": "Get the file that the output of a watcher is in, or the last of the journal",
        "parameters": [PATH_NAME, stream],
        "responses": {"200": raw, **kept},
    }
    path = "/watchers/{name}/logs"
    return {path: {"get": following}, f"{path}/raw": {"get": whole}}


def _identifier(route: Operation) -> str:
    if route.path == "/watchers":
        return f"{route.method.lower()}Watchers"
    if route.path == "/watchers/{name}":
        return f"{route.method.lower()}OneWatcher"
    return f"{route.command.verb}{'Watcher' if route.named else ''}"


def _in_query(row: Argument) -> Json:
    schema = row.kind.schema
    if isinstance(schema.get("type"), list):  # a number or its digits: all in a query is text
        schema = {**schema, "type": schema["type"][0]}
        schema.pop("pattern", None)
    return parameter(row.name, schema, _sentence(row), required=row.required)


def _body(route: Operation) -> Json:
    rows = route.rows.values()
    required = [row.name for row in rows if row.required]
    schema: Json = {
        "type": "object",
        "properties": {row.name: _in_body(row) for row in rows},
        "additionalProperties": False,
    }
    if required:
        schema["required"] = required
    return {"required": bool(required), "content": {falcon.MEDIA_JSON: {"schema": schema}}}


def _in_body(row: Argument) -> Json:
    schema = row.kind.schema
    if row.optional and row.kind.name != "name":
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        schema = {**schema, "type": [*kinds, "null"]}
    if not row.required and row.default is not None:
        schema = {**schema, "default": row.default}
    return {**schema, "description": _sentence(row)}


def _sentence(row: Argument) -> str:
    return f"{row.doc[0].upper()}{row.doc[1:]}."


@functools.cache
def text() -> str:
    """As a file has it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


class Document:
    """`/api/v1/openapi.json`, which tells no more than the manual does."""

    needs: ClassVar[Mapping[str, Role | None]] = {"GET": None}

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """For programs that make clients, or forms, of it."""
        accept_json(req)
        refuse_strange(req, ())
        resp.content_type = falcon.MEDIA_JSON
        resp.text = text()


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
