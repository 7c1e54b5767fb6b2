"""How the console is set up."""

from __future__ import annotations

from dataclasses import dataclass

HOST = "localhost"
PORT = 8080


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What a file, the command line and circusd may say."""

    endpoint: str | None = None
    """circusd's; the usual one that lives unless given."""
    host: str = HOST
    port: int = PORT
    streams: int = 32
    """Browsers that may be told of changes at the same time; further ones ask now and then."""
    threads: int = 48
    """Requests that are answered at the same time, streams included."""
    readonly: bool = False
    """Nobody changes anything, whatever their role."""
    allow_add: bool = False
    """Whether watchers can be added: who adds one decides what is run, and as whom."""
    metrics_open: bool = False
    """Whether anybody who can connect may read /metrics."""
