"""Where a daemon is, and how it is reached."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from circus.endpoints import candidates, ipc_path, remote_endpoint
from circus.exc import CallError, CircusError

if TYPE_CHECKING:
    from collections.abc import Callable

    import zmq

    from circus.tunnel import Tunnel

ENDED = "The connection through ssh has ended: %s"


class Reach:
    """The way to endpoints: as they stand, or through the `ssh` of this machine.

    `lost` is called, from another thread, with the reason when a connection through ssh ends by
    itself.
    """

    def __init__(
        self,
        ssh_server: str | None = None,
        ssh_keyfile: str | None = None,
        curve_key: str | None = None,
        lost: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.server = ssh_server
        self._curve_key = curve_key or os.environ.get("CIRCUSCTL_CURVE")
        self._keyfile = ssh_keyfile
        self._lost = lost
        self._may_ask = True
        self._tunnel: Tunnel | None = None

    def way(self, endpoint: str) -> str:
        """What to connect to. Blocks as long as ssh needs; raises CallError with its reason."""
        tunnel = self._connected()
        return endpoint if tunnel is None else tunnel.forward(endpoint)

    def ask_now(self) -> None:
        """Let ssh ask on the terminal what it has to, and not again. As `way` otherwise."""
        self._connected()
        self._may_ask = False

    def _connected(self) -> Tunnel | None:
        if self.server is None:
            return None
        if self._tunnel is None or self._tunnel.failure():
            from circus.tunnel import Tunnel

            self.close()
            self._tunnel = Tunnel(
                self.server,
                self._keyfile,
                lambda words: self._lost(ENDED % words),
                may_ask=self._may_ask,
            )
        return self._tunnel

    def secure(self, sock: zmq.Socket[bytes], endpoint: str) -> None:
        """Have a socket prove who it is to a `tcp://` endpoint, when there is a key for it.

        `endpoint` is what `way` leads to. Raises CallError for a key that cannot be used.
        """
        if self._curve_key is None or not endpoint.startswith("tcp:"):
            return
        from circus.curve import client_keys

        try:
            keys = client_keys(self._curve_key)
        except CircusError as error:
            raise CallError(str(error)) from error
        sock.curve_publickey, sock.curve_secretkey, sock.curve_serverkey = keys

    def obstacle(self, endpoint: str) -> str | None:
        """Why nobody answers there, as far as it can be seen. May take a second."""
        if self.server is None:
            return unreachable(endpoint)
        failure = self._tunnel.failure() if self._tunnel else None
        return ENDED % failure if failure else None

    def close(self) -> None:
        """Take the way down."""
        if self._tunnel is not None:
            self._tunnel.close()
            self._tunnel = None


def find_endpoint(explicit: str | None = None, *, through_ssh: bool = False) -> str:
    """The control endpoint to use: named, or the first of the usual ones that is alive.

    When none is, the first that is not simply missing, so that complaints are about that one.
    What is usual on another machine cannot be looked for: there it is where root's daemon listens.
    """
    if through_ssh:
        return explicit or remote_endpoint(os.environ)
    found = candidates(explicit, os.environ, os.geteuid())
    if len(found) == 1:
        return found[0]
    found = [endpoint for endpoint in found if not _is_lure(ipc_path(endpoint))]
    there = [one for one in found if (path := ipc_path(one)) is None or os.path.lexists(path)]
    for endpoint in there:
        if unreachable(endpoint) is None:
            return endpoint
    return (there if ipc_path(there[0]) else found)[0]


def unreachable(endpoint: str) -> str | None:
    """Why nobody can be talked to there, None when somebody listens. May take a second."""
    path = ipc_path(endpoint)
    try:
        if path is not None:
            _probe(path)
        else:
            import socket

            host, port = _host_and_port(endpoint)
            socket.create_connection((host, port), timeout=1.0).close()
    except (FileNotFoundError, ConnectionRefusedError):
        return f"No circusd listens at {endpoint}; is it running?"
    except PermissionError as error:
        return f"Permission denied on {error.filename or endpoint}; {_who_may(path)}"
    except BlockingIOError:  # there are many before us
        return None
    except (OSError, ValueError) as error:
        return f"Cannot reach {endpoint}: {error}"
    return None


def _probe(path: str) -> None:
    """Raises OSError when nobody listens. With what `socket` is made of: that is at hand sooner."""
    from _socket import AF_UNIX, SOCK_NONBLOCK, SOCK_STREAM, socket

    probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK)
    try:
        probe.connect(path)
    finally:
        probe.close()


def _who_may(path: str | None) -> str:
    """Whom the file of a socket lets in, and how somebody becomes one of them."""
    import grp
    import pwd

    try:
        found = os.stat(path or "")
    except OSError:
        return "it belongs to another user."
    owner = _name(lambda uid: pwd.getpwuid(uid).pw_name, found.st_uid)
    group = _name(lambda gid: grp.getgrgid(gid).gr_name, found.st_gid)
    caller = _name(lambda uid: pwd.getpwuid(uid).pw_name, os.geteuid())
    if not found.st_mode & stat.S_IWGRP or not found.st_gid:
        others = f"{owner} and " if found.st_uid else ""
        return f"only {others}root may connect."
    return (
        f"{owner} and members of the group {group} may connect: 'adduser {caller} {group}' makes "
        "one, from the next login on."
    )


def _name(look_up: Callable[[int], str], number: int) -> str:
    try:
        return look_up(number)
    except KeyError:
        return str(number)


def _is_lure(path: str | None) -> bool:
    """Whether somebody else can have made its folder so that we talk to them."""
    if path is None:
        return False
    folder = os.path.dirname(path)
    try:
        anybody = os.stat(os.path.dirname(folder)).st_mode & 0o002
        return bool(anybody) and os.stat(folder).st_uid not in (0, os.geteuid())
    except OSError:
        return False


def _host_and_port(endpoint: str) -> tuple[str, int]:
    scheme, _, rest = endpoint.partition("://")
    host, colon, port = rest.rpartition(":")
    if scheme != "tcp" or not colon:
        raise ValueError("an endpoint is ipc:///path or tcp://host:port")
    return host.strip("[]"), int(port)
