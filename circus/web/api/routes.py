"""What is found where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circus.web.api.commands import resources
from circus.web.api.figures import Figures
from circus.web.api.health import Health, Readiness
from circus.web.api.logs import Logs, RawLogs
from circus.web.api.openapi import Document
from circus.web.api.operations import ROOT

if TYPE_CHECKING:
    from circus.web.api.figures import Counted
    from circus.web.application import Application
    from circus.web.parts import Parts


def add_api(app: Application, parts: Parts, counted: Counted) -> None:
    """All of it. `counted` has seen every request."""
    for path, resource in resources(parts):
        app.add_route(path, resource)
    app.add_route(f"{ROOT}/watchers/{{name}}/logs", Logs(parts))
    app.add_route(f"{ROOT}/watchers/{{name}}/logs/raw", RawLogs(parts))
    app.add_route(f"{ROOT}/openapi.json", Document())
    app.add_route("/healthz", Health())
    app.add_route("/readyz", Readiness(parts))
    app.add_route("/metrics", Figures(parts, counted))
