"""The application of circus.ini: says which process has answered."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment


def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Any page."""
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"answered by {os.getpid()}\n".encode()]
