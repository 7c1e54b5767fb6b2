"""The console as a program asks it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.web.console import Answer, Console

ROOT = "/api/v1"


class Api:
    """Asks with JSON, logged in as `role`; nobody with an empty one."""

    def __init__(self, console: Console, role: str = "admin") -> None:
        self._console = console
        console.cookies.clear()
        self._csrf = console.login(role).csrf() if role else ""

    def ask(
        self,
        path: str,
        body: object = None,
        *,
        method: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """GET, or POST when there is a body: bytes, or what becomes JSON."""
        sent = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Origin": self._console.origin,
            "X-CSRF-Token": self._csrf,
        }
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        method = method or ("GET" if body is None else "POST")
        return self._console.ask(method, ROOT + path, data, {**sent, **(headers or {})})
