"""The one that asks circusd."""

from __future__ import annotations

from circus.web.controller import Controller
from tests.daemon.conftest import Start
from tests.daemon.conftest import circusd as circusd
from tests.support import Daemon, wait_until

CONFIG = "[watcher:{}]\ncmd = sleep 3600\n"


def test_who_has_asked_one_circusd_asks_the_next_one_in_its_place(circusd: Start) -> None:
    first = circusd(CONFIG.format("one"))
    second = Daemon(CONFIG.format("two")).wait()
    controller = Controller(first.endpoint)
    try:
        assert controller.call("list")["watchers"] == ["one"]
        idle = second.descriptors()
        for name, daemon in (("two", second), ("one", first)):
            controller.connect(daemon.endpoint)
            assert controller.call("list")["watchers"] == [name]
        wait_until(lambda: second.descriptors() == idle)  # the connection to it is closed
    finally:
        controller.close()
        second.stop()
