"""Names of watchers as parts of addresses.

A server hands the path on decoded, so a slash in a name would be one of the path. Therefore what
is special is encoded twice; what comes back from the path is decoded once more.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    import falcon

_SPECIAL = str.maketrans({"%": "%25", "/": "%2F"})
_DOTS = {".": "%2E", "..": "%2E%2E"}
"""A browser takes these out of a path, however they are encoded."""


def to_path(name: str) -> str:
    """A name as one part of a path."""
    return quote(_DOTS.get(name, name.translate(_SPECIAL)), safe="")


def from_path(part: str) -> str:
    """The name that a part of a decoded path means."""
    return unquote(part)


def watcher_path(name: str, *rest: str) -> str:
    """The address of a watcher's page, or of one below it."""
    return "/".join(["/watchers", to_path(name), *rest])


LOCAL = re.compile(r"/(?![/\\])[!-~]*")
"""Nothing that a browser takes for another site, or for a line of its own."""


def local(path: object, otherwise: str = "/") -> str:
    """A path of this console and nothing else."""
    if isinstance(path, str) and LOCAL.fullmatch(path):
        return path
    return otherwise


def itself(req: falcon.Request) -> str:
    """The address of the page that is asked for, as a link back to it."""
    path = quote(req.path)
    return local(f"{path}?{req.query_string}" if req.query_string else path)
