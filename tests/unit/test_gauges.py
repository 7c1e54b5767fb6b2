"""Numbers of processes as people read them, and what a socket has no number of."""

from __future__ import annotations

import socket
import time

import pytest

from circus.gauges.process import human, share
from circus.gauges.queue import waiting


@pytest.mark.parametrize(
    ("size", "written"),
    [
        (0, "0B"),
        (1023, "1023B"),
        (1024, "1.00K"),
        (10_000, "9.77K"),
        (2 * 1024**3, "2.00G"),
        (1024**7, "1.00Z"),
        (5000 * 1024**7, "5000.00Z"),
    ],
)
def test_bytes_as_people_write_them(size: int, written: str) -> None:
    assert human(size) == written


def test_a_share_is_that_of_the_whole_life_when_nothing_has_passed_since() -> None:
    assert share(5.0, 10.0, None) == 50.0
    assert share(5.0, 0.0, None) == 0.0  # born in this moment
    now = time.monotonic()
    assert share(5.0, 10.0, (4.0, now + 1000)) == 50.0
    assert share(5.0, 10.0, (9.0, now - 1000)) == 0.0  # the pid is another one's by now
    assert share(1000.0, 2000.0, (0.0, now - 1000)) == pytest.approx(100, abs=1)


def test_of_what_is_no_tcp_the_kernel_tells_nothing() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:  # as with SCTP, which not every kernel has
        assert waiting(sock) is None
