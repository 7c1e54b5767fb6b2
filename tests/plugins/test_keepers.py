"""Plugins that act on watchers that use too much, die at once, fall silent or have changed."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING

from tests.plugins.conftest import WATCHER, replaced
from tests.support import child, children, free_port, ready, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.daemon.conftest import Start


def watcher(name: str, command: str, *options: str) -> str:
    return "\n".join([f"[watcher:{name}]", f"cmd = {command}", *options, ""])


def plugin(use: str, *options: str, name: str = "p") -> str:
    return "\n".join([f"[plugin:{name}]", f"use = circus.plugins.{use}", *options, ""])


# -- ResourceWatcher ------------------------------------------------


def test_a_watcher_that_uses_too_much_is_restarted(circusd: Start) -> None:
    use = "resource_watcher.ResourceWatcher"
    limits = ("loop_rate = 0.1", "max_mem = 50M", "max_cpu = 10000", "health_threshold = 10000")
    daemon = circusd(
        watcher("hungry", child("hungry", 70))
        + watcher("modest", child("hungry", 1))
        + plugin(use, "watcher = hungry", *limits)
        + plugin(use, "service = modest", *limits, name="q")
    )
    (hungry,) = daemon.wait_pids("hungry", 1)
    (modest,) = daemon.wait_pids("modest", 1)
    replaced(daemon, "hungry", hungry)
    assert "hungry: over_memory, 4 times in a row" in daemon.text()
    assert daemon.pids("modest") == [modest]
    assert "ResourceWatcher: the option 'service' is now spelled 'watcher'" in daemon.text()


def test_a_child_that_uses_too_much_gets_a_signal_and_its_parent_none(circusd: Start) -> None:
    daemon = circusd(
        watcher("w", child("hungry", 1, 70, 1))
        + plugin(
            *("resource_watcher.ResourceWatcher", "watcher = w", "loop_rate = 0.1"),
            *("max_mem = 50M", "max_cpu = 10000", "health_threshold = 10000"),
            *("process_children = 1", "child_signal = 9"),
        )
    )
    (pid,) = daemon.wait_pids("w", 1)
    (hungry, modest) = wait_until(lambda: len(found := children(pid)) == 2 and sorted(found))
    wait_until(lambda: f"Sending 9 to {hungry} of w" in daemon.text())
    assert daemon.pids("w") == [pid]
    assert f"to {modest} of w" not in daemon.text()


# -- Flapping ------------------------------------------------


def test_a_watcher_of_which_all_workers_die_has_a_rest(circusd: Start) -> None:
    daemon = circusd(
        watcher("My W", "false", "max_retry = -1", "backoff_delay = 0")
        + plugin("flapping.Flapping", "window = 60", "retry_in = 0.5", "max_retry = 1")
    )
    wait_until(lambda: "my w flaps: it is stopped for 0.5 s" in daemon.text())
    wait_until(lambda: "my w flaps, and has had 1 rest(s): it stays stopped" in daemon.text())
    wait_until(lambda: daemon.call("status", name="my w")["status"] == "stopped")


def test_workers_that_are_well_are_not_stopped_for_one_that_flaps(circusd: Start) -> None:
    well_only_the_first = "/bin/sh -c '[ $(circus.wid) = 1 ] && exec sleep 3600'"
    pacing = ("max_retry = -1", "backoff_delay = 0.3", "backoff_factor = 1")
    own = ("numprocesses = 2", "flapping.window = 5", "flapping.attempts = 3")
    daemon = circusd(
        watcher("w", well_only_the_first, *pacing, *own)
        + plugin("flapping.Flapping", "attempts = 1000")
    )
    (pid,) = wait_until(lambda: [one["pid"] for one in daemon.slots("w") if one["wid"] == 1])
    wait_until(lambda: "w.2 flaps; others of w are well and run on" in daemon.text())
    assert pid in daemon.pids("w")
    assert "it is stopped for" not in daemon.text()


# -- WatchDog ------------------------------------------------


def test_who_falls_silent_is_killed_and_nobody_else(circusd: Start) -> None:
    port = free_port(socket.SOCK_DGRAM)
    daemon = circusd(
        watcher("beats", child("beats", port))
        + watcher("good", child("beats", port))
        + WATCHER
        + plugin(
            *("watchdog.WatchDog", f"port = {port}", "loop_rate = 0.5", "max_count = 4"),
            *("watchers_regex = beats|good", "watchers_stop_signal = KILL"),
        )
    )
    before = {name: daemon.wait_pids(name, 1) for name in ("beats", "good", "w")}
    (pid,) = before["beats"]
    wait_until(lambda: pid in ready(daemon.text()))
    os.kill(pid, signal.SIGUSR1)
    replaced(daemon, "beats", pid)
    assert f"beats (pid {pid}) has sent no sign of life and is killed" in daemon.text()
    assert f"beats.1 (pid {pid}) killed by SIGKILL" in daemon.text()
    assert [daemon.pids(name) for name in ("good", "w")] == [before["good"], before["w"]]


# -- CommandReloader ------------------------------------------------


def test_a_program_that_changes_is_started_anew(circusd: Start, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexec sleep 3600\n")
    program.chmod(0o755)
    daemon = circusd(
        WATCHER
        + watcher("p", "./program --with 'some arguments'", f"working_dir = {tmp_path}")
        + plugin("command_reloader.CommandReloader", "loop_rate = 0.1")
    )
    (pid,) = daemon.wait_pids("p", 1)
    (other,) = daemon.wait_pids("w", 1)
    times = iter(range(1, 10_000))

    def replaced_after_a_touch() -> bool:
        os.utime(program, (moment := next(times), moment))
        return daemon.pids("p") not in ([], [pid])

    wait_until(replaced_after_a_touch)
    assert daemon.pids("w") == [other]
