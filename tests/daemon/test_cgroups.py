"""Workers with a cgroup each, where one is delegated. The real thing is in tests/systemd."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from circus.reach import unreachable
from circus.stats.client import StatsClient
from tests.cgroups import Divider, delegated, put
from tests.support import alive, child, needs_root, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = needs_root

SLEEP = "[watcher:w]\ncmd = sleep 1000\nnumprocesses = 2\n"


@pytest.fixture
def folder() -> Iterator[str]:
    """A cgroup that circusd may divide; empty again at the end."""
    with delegated() as path:
        yield path


Start: TypeAlias = "Callable[[str], Divider]"


@pytest.fixture
def divider(folder: str) -> Iterator[Start]:
    """Starts daemons in it that answer."""
    started: list[Divider] = []

    def start(text: str) -> Divider:
        daemon = Divider(folder, text)
        started.append(daemon)
        daemon.wait()
        return daemon

    yield start
    for daemon in reversed(started):  # what came later is not what the earlier one left
        daemon.stop()


def test_each_worker_has_its_own_until_it_is_gone(divider: Start, folder: str) -> None:
    daemon = divider(SLEEP)
    pids = daemon.wait_pids("w", 2)
    assert daemon.inside("supervisor") == {daemon.process.pid}
    assert [daemon.inside(f"watcher-w/{wid}") for wid in (1, 2)] == [{pid} for pid in sorted(pids)]
    daemon.call("stop", name="w", waiting=True)
    assert not os.path.exists(f"{folder}/watcher-w")


def test_a_start_that_fails_leaves_no_cgroup(divider: Start, folder: str) -> None:
    daemon = divider("[watcher:w]\ncmd = /nonexistent\nmax_retry = 0\n")
    wait_until(lambda: daemon.slots("w")[0]["state"] == "failed")
    assert not os.path.exists(f"{folder}/watcher-w")


def test_its_usage_is_that_of_all_that_it_started(divider: Start) -> None:
    daemon = divider(f"[watcher:w]\ncmd = {child('setsid_child')}\n")
    (pid,) = daemon.wait_pids("w", 1)
    wait_until(lambda: len(daemon.inside("watcher-w/1")) == 2)
    tree = daemon.call("stats", name="w")["info"][str(pid)]["tree"]
    assert tree["busy"] > 0
    assert tree["cpu"] > 0


def test_what_is_published_has_it_too(divider: Start) -> None:
    daemon = divider(f"[circus]\nstatsd = True\n[watcher:w]\ncmd = {child('setsid_child')}\n")
    (pid,) = daemon.wait_pids("w", 1)
    endpoint = f"ipc://{daemon.folder}/stats"
    wait_until(lambda: unreachable(endpoint) is None)
    client = StatsClient(endpoint, topics=(f"stat.w.{pid}",))
    _, _, message = next(iter(client))
    client.stop()
    assert message["tree"]["busy"] > 0


def test_another_circusd_in_the_same_cgroup_does_without(divider: Start) -> None:
    first, second = divider(SLEEP), divider(SLEEP)
    assert "another circusd has divided" in second.text()
    assert len(second.wait_pids("w", 2)) == 2
    assert len(first.wait_pids("w", 2)) == 2


def test_what_an_earlier_one_left_is_named_and_gone(divider: Start, folder: str) -> None:
    for place in ("supervisor", "watcher-old/1", "watcher-old/1/own"):
        os.makedirs(f"{folder}/{place}")
    places = (f"{folder}/supervisor", f"{folder}/watcher-old/1/own")
    left = [put(place, "sleep", "1000") for place in places]
    daemon = divider(SLEEP)
    assert [one.wait() for one in left] == [-9, -9]
    for place, one in zip(
        (f"{os.path.basename(folder)}/supervisor", "watcher-old/1"), left, strict=True
    ):
        assert f"left in {place}: sleep (pid {one.pid})\n" in daemon.text()
    daemon.wait_pids("w", 2)  # those on their way are not in their own yet
    assert daemon.inside("supervisor") == {daemon.process.pid}
    assert not os.path.exists(f"{folder}/watcher-old")


def test_a_worker_that_was_let_go_of_keeps_its_own(divider: Start) -> None:
    daemon = divider(SLEEP.replace("= 2", "= 1"))
    (let_go,) = daemon.wait_pids("w", 1)
    daemon.call("rm", name="w", nostop=True)
    daemon.call("add", name="w", cmd="sleep 1000", start=True)
    (pid,) = daemon.wait_pids("w", 1)
    assert "Cannot make a cgroup for w.1, which runs without: " in daemon.text()
    assert pid != let_go
    daemon.call("restart", waiting=True)  # nor does another round of the same circusd take it
    wait_until(lambda: daemon.text().count("Each worker has a cgroup of its own") == 2)
    assert alive(let_go)
    assert daemon.inside("watcher-w/1") == {let_go}
    os.kill(let_go, 15)


def test_why_there_is_none_is_told_once(divider: Start, folder: str) -> None:
    daemon = divider(SLEEP)
    daemon.wait_pids("w", 2)
    # not one more below it
    Path(folder, "cgroup.max.descendants").write_text("0\n")
    daemon.call("incr", name="w", nb=3, waiting=True)
    assert len(daemon.wait_pids("w", 5)) == 5
    assert daemon.text().count("Cannot make a cgroup for w.") == 1


def test_of_a_tree_that_is_killed_not_everybody_is_named(divider: Start) -> None:
    daemon = divider(
        "[watcher:w]\nshell = True\ncopy_env = True\ngraceful_timeout = 0.1\n"
        "cmd = trap '' TERM; for n in $(seq 203); do sleep 1000 & done; wait\n"
    )
    wait_until(lambda: len(daemon.inside("watcher-w/1")) == 204)
    killed = daemon.call("stop", name="w", waiting=True)["killed"]
    assert killed[0].startswith("w.1 (pid ")
    assert (len(killed), killed[-1]) == (202, "and 3 more")
