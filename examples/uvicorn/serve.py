"""uvicorn, but whoever it has let in is answered before it ends: see patient.ini.

By itself it closes connections that it has accepted and has not read from yet.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    import socket

PATIENCE = 5.0
"""Seconds that somebody who has connected may take to ask."""


class Patient(uvicorn.Server):
    """Reads first, then shuts down."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nobody more, hear those who were accepted, then go on as usual."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(0.1)  # what was accepted just now becomes a connection
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        while self._unheard() and loop.time() < until:  # noqa: ASYNC110 uvicorn tells nobody
            await asyncio.sleep(0.01)
        await super().shutdown(sockets)

    def _unheard(self) -> bool:
        """Whether somebody has connected and not asked for anything yet."""
        return any(connection.cycle is None for connection in self.server_state.connections)


config = uvicorn.Config("app:application", fd=int(sys.argv[1]), access_log=False)
Patient(config).run()
