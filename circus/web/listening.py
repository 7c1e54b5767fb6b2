"""The sockets that the console answers at: its own, an inherited one, or those of systemd."""

from __future__ import annotations

import dataclasses
import errno
import ipaddress
import logging
import os
import socket
import stat
from typing import TYPE_CHECKING

from circus.exc import CircusError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from circus.web.settings import Settings

BACKLOG = 1024
MODE_MASK = 0o117
"""Of a Unix socket: its owner and its group may connect."""
EXPOSED = (
    "other machines can connect to {where}; say who may log in (password_file, or "
    "proxy_user_header) and by which name they know it (allowed_hosts, url or trusted_proxies), "
    "listen at localhost and have a proxy before it, or set exposed = True"
)

logger = logging.getLogger(__name__)


def listening(
    settings: Settings, fd: int | None, handed: Sequence[int]
) -> tuple[list[socket.socket], Settings]:
    """Sockets that listen, and the settings with where that is.

    `fd` and `handed` are descriptors that were inherited, the second from systemd: they become
    ours, and whoever else has them does not notice. Raises CircusError, also where other machines
    could connect and nobody has said how they are to.
    """
    inherited = handed if fd is None else [fd]
    if inherited:
        found = [_inherited(one) for one in inherited]
    elif settings.path:
        found = [_at_path(settings.path)]
    else:
        found = _at(settings.host, settings.port)
    if len({one.family == socket.AF_UNIX for one in found}) > 1:
        raise CircusError("sockets of the network and Unix sockets cannot be served together")
    _refuse_exposed(settings, found)
    at_port = found[0].family != socket.AF_UNIX
    return found, dataclasses.replace(
        settings,
        path=None if at_port else str(found[0].getsockname()),
        port=found[0].getsockname()[1] if at_port else settings.port,
        any_port=bool(inherited),
    )


def _inherited(fd: int) -> socket.socket:
    try:
        sock = socket.socket(fileno=fd)
    except OSError as error:
        raise CircusError(f"descriptor {fd} is no socket: {error.strerror}") from error
    sock.set_inheritable(False)
    if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise CircusError(f"descriptor {fd} is a socket that does not listen")
    return sock


def _at(host: str, port: int) -> list[socket.socket]:
    """One for each address of the host."""
    try:
        infos = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except socket.gaierror as error:
        raise CircusError(f"cannot listen at {host}: {error.strerror}") from error
    found: list[socket.socket] = []
    errors: list[OSError] = []
    for family, *_, address in infos:
        at = (address[0], found[0].getsockname()[1] if found else port)  # the same if it was 0
        try:
            found.append(socket.create_server(at, family=family, backlog=BACKLOG))
        except OSError as error:
            errors.append(error)
    # a machine may know ::1 by name, and have no IPv6
    taken = [one for one in errors if one.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)]
    if taken or not found:
        reason = os.strerror((taken or errors)[0].errno or 0)
        raise CircusError(f"cannot listen at {host}:{port}: {reason}")
    return found


def _at_path(path: str) -> socket.socket:
    """A dead one in its place is replaced, a live one never."""
    sock = socket.socket(socket.AF_UNIX)
    before = os.umask(MODE_MASK)
    try:
        if os.path.lexists(path):
            _remove_dead(path)
        sock.bind(path)
        sock.listen(BACKLOG)
    except OSError as error:
        raise CircusError(f"cannot listen at {path}: {error.strerror or error}") from error
    finally:
        os.umask(before)
    return sock


def _remove_dead(path: str) -> None:
    """Raises CircusError for what is no dead socket, OSError."""
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise CircusError(f"cannot listen at {path}: there is something that is no socket")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        else:
            raise CircusError(f"cannot listen at {path}: somebody else does")


def _refuse_exposed(settings: Settings, found: Iterable[socket.socket]) -> None:
    inet = [one.getsockname() for one in found if one.family != socket.AF_UNIX]
    open_to_all = [one for one in inet if not ipaddress.ip_address(one[0]).is_loopback]
    if not open_to_all:
        return
    host, port = open_to_all[0][:2]
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    named = settings.allowed_hosts or settings.url or settings.trusted_proxies
    known = settings.password_file or settings.proxy_user_header
    if not settings.exposed and not (named and known):
        raise CircusError(EXPOSED.format(where=where))
    if not settings.trusted_proxies:
        logger.warning("What goes to and from %s is not encrypted: a proxy can do that", where)
