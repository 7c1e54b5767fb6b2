"""Slashes within names: kept apart from those of the path where the server says what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    import falcon

AS_SENT = ("REQUEST_URI", "RAW_URI")
"""What servers call the path before anything in it is decoded; not all of them tell."""


class Slashes:
    """Middleware: an encoded slash is encoded in `req.path` too, as circus.web.names has it."""

    def process_request(self, req: falcon.Request, _resp: falcon.Response) -> None:
        """Before the resource is looked for."""
        sent = next((req.env[name] for name in AS_SENT if name in req.env), "")
        path = sent.partition("?")[0].removeprefix(req.env.get("SCRIPT_NAME", ""))
        slashes = path.replace("%2f", "%2F")
        if "%2F" in slashes and unquote(path, errors="replace") == req.path:
            req.path = unquote(slashes.replace("%2F", "%252F"), errors="replace")
