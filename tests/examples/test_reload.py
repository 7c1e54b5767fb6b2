"""Web servers are replaced while somebody asks all the time, and every request is answered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.examples.load import Load
from tests.support import free_port, listens, wait_until

if TYPE_CHECKING:
    from tests.examples.conftest import Run
    from tests.support import Daemon

RELOADS = 10


def reload_under_load(daemon: Daemon, name: str, port: int) -> None:
    """Every answer comes from a worker, or one of its children, and there are some of each."""
    before = set(daemon.pids(name))
    with Load(port) as load:
        for _ in range(RELOADS):
            assert daemon.call("reload", name=name, waiting=True)["status"] == "ok"
            load.more()
    assert before.isdisjoint(daemon.pids(name))
    odd = [answer for answer in load.answers if not re.fullmatch(r"answered by \d+\n", answer)]
    assert odd == [], load.answers
    assert len(load.answers) > RELOADS  # as many processes, at least, have answered


@pytest.mark.parametrize("path", ["gunicorn/circus.ini", "uvicorn/patient.ini"])
def test_a_reload_loses_no_request(example: Run, path: str) -> None:
    port = free_port()
    daemon = example(path, {"port = 8080": f"port = {port}"})
    daemon.wait_pids("web", 3)
    reload_under_load(daemon, "web", port)


def test_a_reload_behind_nginx_loses_no_request(example: Run) -> None:
    front, back = free_port(), free_port()
    daemon = example("nginx/circus.ini", {"8080": str(front), "8000": str(back)})
    daemon.wait_pids("app", 3)
    wait_until(lambda: listens(front))  # nginx opens its port itself
    reload_under_load(daemon, "app", front)
