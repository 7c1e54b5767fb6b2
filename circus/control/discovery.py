"""Tells whoever asks on the network where this daemon's control endpoint is."""

from __future__ import annotations

import ipaddress
import json
import logging
import socket
import struct
from typing import TYPE_CHECKING

from circus.exc import CircusError

if TYPE_CHECKING:
    import asyncio

logger = logging.getLogger(__name__)

BATCH = 32
"""Questions answered before the loop may do something else."""
REACH = 255
"""Routers that an answer may pass."""


def discovery(
    loop: asyncio.AbstractEventLoop, multicast: str | None, endpoint: str
) -> Discovery | None:
    """One that answers, when it is asked for and can be had; a failure is told, and no more."""
    if multicast is None:
        return None
    try:
        return Discovery(loop, multicast, endpoint)
    except CircusError as error:
        logger.warning("%s", error)
        return None


class Discovery:
    """Answers every datagram that comes to a multicast address with `{"endpoint": ...}`.

    Whoever can send one learns the endpoint, and nothing else. Everything here belongs to the
    loop's thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, multicast: str, endpoint: str) -> None:
        """`multicast`: `udp://address:port`. Raises CircusError."""
        address, _, port = multicast.removeprefix("udp://").rpartition(":")
        self._loop = loop
        self._answer = json.dumps({"endpoint": endpoint}).encode()
        try:
            self._socket = _listener(address, int(port))
        except (OSError, ValueError) as error:
            raise CircusError(
                f"cannot answer at multicast_endpoint {multicast}: {error}"
            ) from error
        loop.add_reader(self._socket, self._on_questions)

    def close(self) -> None:
        """Answer no more."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _on_questions(self) -> None:
        for _ in range(BATCH):
            try:
                _question, sender = self._socket.recvfrom(1)
                self._socket.sendto(self._answer, sender)
            except BlockingIOError:
                return
            except OSError as error:
                logger.info("Cannot answer a question for the endpoint: %s", error)
                return


def _listener(address: str, port: int) -> socket.socket:
    if not ipaddress.IPv4Address(address).is_multicast:
        raise ValueError(f"{address} is not between 224.0.0.0 and 239.255.255.255")
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        found.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, REACH)
        found.bind(("", port))
        _join(found, address)
    except BaseException:
        found.close()
        raise
    return found


def _join(listener: socket.socket, address: str) -> None:
    """On every interface. Raises OSError when none of them takes part."""
    failure: OSError | None = None
    joined = 0
    for number, _name in socket.if_nameindex():
        # the kernel's ip_mreqn: group, own address, interface
        request = struct.pack("4s4si", socket.inet_aton(address), bytes(4), number)
        try:
            listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
            joined += 1
        except OSError as error:
            failure = error
    if not joined:
        raise failure or OSError("there is no network interface")
