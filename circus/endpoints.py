"""Where the daemon listens and where clients look for it, when nobody says."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM_DIRECTORY = "/run/circus"
TCP_CONTROL = "tcp://127.0.0.1:5555"
"""Where circus 0.19 listens unless it is told otherwise."""


class Endpoints(NamedTuple):
    """The three addresses of a daemon."""

    control: str
    pubsub: str
    stats: str


class Wanted(Protocol):
    """The part of a configuration that names endpoints; None means: the usual place."""

    @property
    def endpoint(self) -> str | None: ...
    @property
    def pubsub_endpoint(self) -> str | None: ...
    @property
    def stats_endpoint(self) -> str | None: ...


def default_directory(environ: Mapping[str, str], uid: int) -> str:
    """The folder that holds the sockets of this user's daemon."""
    runtime = environ.get("RUNTIME_DIRECTORY", "").split(":")[0]  # systemd may name several
    if runtime:
        return runtime
    if uid == 0:
        return SYSTEM_DIRECTORY
    if environ.get("XDG_RUNTIME_DIR"):
        return environ["XDG_RUNTIME_DIR"].rstrip("/") + "/circus"
    return f"{environ.get('TMPDIR', '/tmp').rstrip('/')}/circus-{uid}"  # noqa: S108 made 0700, owner checked


def default_endpoints(environ: Mapping[str, str], uid: int) -> Endpoints:
    """The sockets in that folder."""
    folder = default_directory(environ, uid)
    return Endpoints(*(f"ipc://{folder}/{name}" for name in ("control", "pubsub", "stats")))


def daemon_endpoints(wanted: Wanted, environ: Mapping[str, str], uid: int) -> Endpoints:
    """What the configuration asks for, and the usual places for the rest."""
    usual = default_endpoints(environ, uid)
    return Endpoints(
        wanted.endpoint or usual.control,
        wanted.pubsub_endpoint or usual.pubsub,
        wanted.stats_endpoint or usual.stats,
    )


def candidates(explicit: str | None, environ: Mapping[str, str], uid: int) -> list[str]:
    """Control endpoints to try, in order; when somebody names one, only that."""
    named = explicit or environ.get("CIRCUSCTL_ENDPOINT")
    if named:
        return [named]
    own = default_endpoints(environ, uid).control
    system = f"ipc://{SYSTEM_DIRECTORY}/control"
    return [*dict.fromkeys((own, system)), TCP_CONTROL]


def remote_endpoint(environ: Mapping[str, str]) -> str:
    """The control endpoint of another machine, as seen there, when nobody names it here."""
    return environ.get("CIRCUSCTL_ENDPOINT") or f"ipc://{SYSTEM_DIRECTORY}/control"


def reachable(endpoint: str) -> str:
    """What to connect to on this machine, for an endpoint that is bound as given."""
    for everywhere in ("tcp://*:", "tcp://0.0.0.0:", "tcp://[::]:"):
        if endpoint.startswith(everywhere):
            return f"tcp://127.0.0.1:{endpoint.removeprefix(everywhere)}"
    return endpoint


def ipc_path(endpoint: str) -> str | None:
    """The path of an `ipc://` endpoint, None for any other."""
    return endpoint.removeprefix("ipc://") if endpoint.startswith("ipc://") else None


def ssh_destination(server: str) -> tuple[str, str]:
    """User and host, then the port or nothing. Raises ValueError for what ssh would misread.

    An IPv6 address with a port needs brackets, and ssh wants it without them.
    """
    host, colon, port = server.rpartition(":")
    bare = ":" not in host or host.endswith("]")
    if not (colon and bare and port.isascii() and port.isdigit()):
        host, port = server, ""
    host = host.replace("[", "").replace("]", "")
    if not host or host.startswith("-") or not host.isprintable() or " " in host:
        raise ValueError(f"{server!r} is not [user@]host[:port]")
    return host, port
