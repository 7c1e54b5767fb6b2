"""Addresses of the console of circus 0.6."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

import falcon

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circus.access import Role

PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class Media:
    """`/media/FILE`."""

    needs: ClassVar[Mapping[str, Role | None]] = {"GET": None}

    def on_get(self, _req: falcon.Request, _resp: falcon.Response, file: str) -> None:
        """Where such files are now."""
        if not PLAIN.fullmatch(file):
            raise falcon.HTTPNotFound
        raise falcon.HTTPFound(f"/static/{file}")
