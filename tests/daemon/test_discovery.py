"""Whoever asks at the multicast address learns the endpoint."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

from tests.support import free_port, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start

GROUP = "239.251.97.12"


def ask(address: str, port: int) -> dict[str, str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(30)
        # traffic of tests does not leave the machine
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
        asking.sendto(b"where?", (address, port))
        found: dict[str, str] = json.loads(asking.recv(1000))
        return found


def test_a_question_is_answered_with_the_endpoint(circusd: Start) -> None:
    port = free_port(socket.SOCK_DGRAM)
    daemon = circusd(f"[circus]\nmulticast_endpoint = udp://{GROUP}:{port}\n")
    assert ask(GROUP, port) == {"endpoint": daemon.endpoint}
    assert ask("127.0.0.1", port) == {"endpoint": daemon.endpoint}


def test_what_is_no_multicast_address_is_told_and_hinders_nothing(circusd: Start) -> None:
    daemon = circusd("[circus]\nmulticast_endpoint = udp://10.0.0.1:12027\n")
    wait_until(lambda: "multicast_endpoint udp://10.0.0.1:12027: 10.0.0.1 is not" in daemon.text())
