"""Limits and freeze where the machine cannot do it. Where it can: tests/vm and tests/systemd."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.cgroups import Divider, delegated
from tests.support import needs_root, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start

LIMITED = """
[watcher:web]
cmd = sleep 1000
numprocesses = 2
memory_max = 512M
tasks_max = 20
"""
NO_CGROUP = "no cgroup is delegated to circusd (Delegate=yes in its unit)"
TROUBLE = f"memory_max, tasks_max without effect: {NO_CGROUP}"


def test_without_cgroups_workers_run_without_limits(
    circusd: Start,
) -> None:
    daemon = circusd(LIMITED)
    pids = daemon.wait_pids("web", 2)
    assert daemon.text().count(f"web: {TROUBLE}; workers run without that") == 1
    assert TROUBLE in daemon.ctl("why", "web").stdout
    answer = daemon.ctl("set", "web", "memory_max", "infinity", "tasks_max", "infinity")
    assert answer.stdout == "ok\n"
    wait_until(lambda: "without effect" not in daemon.ctl("why", "web").stdout)
    assert daemon.pids("web") == pids


def test_what_is_wrong_with_one_is_said_in_a_line(circusd: Start) -> None:
    daemon = circusd(LIMITED)
    answer = daemon.ctl("set", "web", "memory_max", "plenty")
    said = "'plenty' is not a size such as 512M or 2G, nor infinity"
    assert said in answer.stdout + answer.stderr
    assert daemon.ctl("get", "web", "memory_max").stdout == "memory_max: 512M\n"


@needs_root
def test_a_controller_that_is_not_delegated_is_told_once() -> None:
    with delegated() as above:
        inner = f"{above}/inner"  # nothing is handed down to it
        os.mkdir(inner)
        os.setxattr(inner, "trusted.delegate", b"1")
        daemon = Divider(inner, LIMITED)
        try:
            daemon.wait().wait_pids("web", 2)
            told = "web: memory_max, tasks_max without effect: the memory controller "
            assert daemon.text().count(told) == 1
            assert daemon.inside("watcher-web/1")
        finally:
            daemon.stop()


@pytest.mark.parametrize("verb", ["freeze", "thaw"])
def test_freeze_is_refused_in_words(circusd: Start, verb: str) -> None:
    daemon = circusd(LIMITED)
    daemon.wait_pids("web", 2)
    answer = daemon.ctl(verb, "web")
    said = f"cannot {verb} 'web': web.1 has no cgroup; {NO_CGROUP}"
    if verb == "thaw":  # there is nothing to do
        assert answer.returncode == 0
    else:
        assert said in answer.stdout + answer.stderr
        assert answer.returncode == 3
