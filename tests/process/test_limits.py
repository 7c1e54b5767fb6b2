"""Alarms: the kernel says when it has changed a file of a cgroup. No controller is needed."""

from __future__ import annotations

import asyncio
import os
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

from circus.config.model import WatcherConfig
from circus.host.cgroup import Leaf
from circus.limits import Alarms, Limits
from circus.process import Process
from tests.cgroups import delegated
from tests.support import needs_root, wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_root


def test_an_alarm_is_given_for_each_change_until_it_is_forgotten() -> None:
    async def scenario(path: str) -> list[str]:
        told: list[str] = []
        changed = asyncio.Event()

        def then() -> None:
            with open(f"{path}/cgroup.events") as events:
                told.append(events.readline().strip())
            changed.set()

        alarms = Alarms(asyncio.get_running_loop())
        alarms.watch(f"{path}/no.such.file", then)
        alarms.watch(f"{path}/cgroup.events", then)
        await asyncio.wait_for(changed.wait(), 20)  # the first comes by itself
        for entering in (True, False):
            changed.clear()
            await asyncio.to_thread(cat.enter if entering else cat.leave)
            await asyncio.wait_for(changed.wait(), 20)
        alarms.forget(f"{path}/cgroup.events")
        await asyncio.to_thread(cat.enter)
        await asyncio.to_thread(cat.leave)
        alarms.close()
        return told

    with delegated() as path:
        cat = Visitor(path)
        told = asyncio.run(scenario(path))
    assert told[0] == "populated 0"
    assert "populated 1" in told
    assert told[-1] == "populated 0"


def test_a_watcher_that_is_gone_watches_none_of_those_that_live_on(tmp_path: Path) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    async def scenario(path: str) -> list[int]:
        for name in ("memory.events", "pids.events"):  # as a leaf with these controllers has them
            (tmp_path / name).symlink_to(f"{path}/cgroup.events")
        config = WatcherConfig(name="w", cmd="true", memory_max=1, tasks_max=1)
        loop = asyncio.get_running_loop()
        alarms = Alarms(loop)
        watched = Limits(config, loop, alarms)
        before = descriptors()
        watched.watch(Process.of_worker("w", 1, os.getpid(), "mark", Leaf(str(tmp_path))))
        during = descriptors()
        watched.close()
        counts = [during - before, descriptors() - before]
        alarms.close()
        return counts

    with delegated() as path:
        assert asyncio.run(scenario(path)) == [2, 0]


def test_of_several_changes_at_once_the_last_is_in_force(tmp_path: Path) -> None:
    watcher, leaf = tmp_path / "watcher", tmp_path / "watcher" / "leaf"
    leaf.mkdir(parents=True)
    (tmp_path / "cgroup.controllers").write_text("memory")
    for folder in (tmp_path, watcher):
        (folder / "cgroup.subtree_control").write_text("memory")
    (leaf / "memory.max").write_text("max")

    async def scenario() -> str:
        loop = asyncio.get_running_loop()
        config = WatcherConfig(name="w", cmd="true")
        alarms = Alarms(loop)
        limited = Limits(config, loop, alarms)
        worker = Process.of_worker("w", 1, os.getpid(), "mark", Leaf(str(leaf)))
        for most in (4096, 8192, 12288):
            limited.change(replace(config, memory_max=most), lambda: [worker])
        await asyncio.to_thread(wait_until, lambda: (leaf / "memory.max").read_text() == "12288")
        limited.close()
        alarms.close()
        return limited.trouble

    assert asyncio.run(asyncio.wait_for(scenario(), 20)) == ""


class Visitor:
    """A process that goes into a cgroup, and out of it by its end."""

    def __init__(self, path: str) -> None:
        self._enter = ["sh", "-c", 'echo 0 >"$0/cgroup.procs" && echo in && exec cat', path]

    def enter(self) -> None:
        """It is there when this returns."""
        self._cat = subprocess.Popen(self._enter, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._cat.stdout is not None
        assert self._cat.stdout.readline() == b"in\n"

    def leave(self) -> None:
        """It is gone when this returns."""
        self._cat.communicate()
