"""A circusd without a port on the network, from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sshd import sshd as sshd
from tests.sshd import temporary as temporary
from tests.support import circusctl, wait_until

if TYPE_CHECKING:
    from tests.examples.conftest import Run
    from tests.sshd import Server


@pytest.mark.usefixtures("temporary")
def test_the_endpoints_are_reached_through_ssh(example: Run, sshd: Server) -> None:
    places = {"ipc:///var/circus/endpoint": "ipc://FOLDER/control", "/var/circus": "FOLDER"}
    daemon = example("ipc/circus.ini", places)
    wait_until(lambda: set(daemon.statuses().values()) == {"active"})
    where = ("--endpoint", daemon.endpoint)
    ended = circusctl("--ssh", sshd.name, "--ssh_keyfile", sshd.key(), *where, "status")
    assert (ended.stdout, ended.stderr) == ("circusd-stats: active\nsleeper: active\n", "")
    assert ended.returncode == 0
