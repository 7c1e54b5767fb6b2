"""For whoever starts, watches and balances: does the console live, and can it work?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

import falcon

from circus.exc import CallError
from circus.web.problems import SILENT, Problem
from circus.web.visitor import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.web.parts import Parts
    from circus.web.visitor import Need

PATIENCE = 2.0
"""Seconds that circusd has to show that it is there."""


class Health:
    """`/healthz`: the process answers, and nothing is told to a stranger but that."""

    needs: ClassVar[Mapping[str, Need]] = {"GET": None, "HEAD": None}

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Always good: whoever hears it knows."""
        _say(resp, "ok")

    on_head = on_get


class Readiness:
    """`/readyz`: circusd answers, too."""

    needs: ClassVar[Mapping[str, Need]] = {"GET": METRICS, "HEAD": METRICS}

    def __init__(self, parts: Parts) -> None:
        self._controller = parts.controller

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """503 when it does not, and why."""
        try:
            self._controller.ask("numwatchers", {}, seconds=PATIENCE)
        except CallError as error:
            raise Problem(SILENT, str(error)) from error
        _say(resp, "ready")

    on_head = on_get


def _say(resp: falcon.Response, word: str) -> None:
    resp.content_type = falcon.MEDIA_JSON
    resp.data = json.dumps({"status": word}).encode()
