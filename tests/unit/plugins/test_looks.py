"""What is done about what circusd tells those who look after others; circusd is made up."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from circus.exc import CallError
from circus.plugins import CircusPlugin
from circus.plugins.command_reloader import CommandReloader
from circus.plugins.resource_watcher import ResourceWatcher
from circus.plugins.statsd import BaseObserver, FullStats
from circus.plugins.watchdog import WatchDog
from tests.plugins.peers import sink as sink

if TYPE_CHECKING:
    from pathlib import Path

    from circus.client import Reply
    from tests.plugins.peers import Sink


class Alone(CircusPlugin):
    """Has nobody to talk to: what it would have done is kept, what it asks for is in `answers`."""

    def __init__(self, **config: Any) -> None:
        super().__init__("ipc://x", "ipc://y", 5.0, **config)
        self.answers: dict[str, Reply] = {}
        """By command, or by command and watcher."""
        self.did: list[tuple[str, dict[str, Any]]] = []

    def call(self, command: str, **props: Any) -> Reply:
        if command == "restart":
            self.did.append((command, props))
            return {"status": "ok"}
        return self.answers[f"{command} {props['name']}" if "name" in props else command]

    def cast(self, command: str, **props: Any) -> None:
        self.did.append((command, props))


class AloneResources(Alone, ResourceWatcher):
    """Looks after `w`."""


class AloneStats(Alone, FullStats):
    """Looks at all."""


class AloneReloader(Alone, CommandReloader):
    """Looks at programs."""


class AloneDog(Alone, WatchDog):
    """Looks at signs of life."""

    def hear(self, topic: str, pid: int) -> None:
        self.handle_recv([topic.encode(), json.dumps({"process_pid": pid}).encode()])


class Stumbles(Alone, BaseObserver):
    """Cannot do anything twice, then it can."""

    def __init__(self) -> None:
        super().__init__(loop_rate=0)
        self.errors: list[Exception] = [CallError("circusd does not answer"), ValueError("odd")]
        self.done = asyncio.Event()

    def look_after(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.done.set()


def usage(cpu: float, mem: float, size: str) -> Reply:
    info = {"pid": 1, "cpu": cpu, "mem": mem, "mem_info1": size, "ctime": "0:01.00"}
    return {"status": "ok", "info": {"1": info}}


# -- any ------------------------------------------------


def test_what_one_look_fails_with_is_logged_and_the_next_may_be_fine(
    caplog: pytest.LogCaptureFixture,
) -> None:
    plugin = Stumbles()
    plugin.handle_init()

    async def until_it_can() -> None:
        await plugin.done.wait()

    plugin.loop.run(until_it_can())
    plugin.loop.close()
    assert caplog.messages == ["circusd does not answer", "statsd cannot look after things"]
    assert "ValueError: odd" in caplog.text


# -- ResourceWatcher, FullStats ------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "used", "exceeded"),
    [
        ({"min_cpu": 5}, usage(5.0, 1.0, "9.00M"), "under_cpu"),
        ({"min_mem": "10M"}, usage(50.0, 1.0, "9.00M"), "under_memory"),
        ({"min_mem": 2}, usage(50.0, 1.0, "9.00M"), "under_memory"),
        ({"health_threshold": 50}, usage(60.0, 41.0, "9.00M"), "over_health"),
    ],
)
def test_too_little_and_bad_health_are_reasons_to_restart_too(
    sink: Sink,
    caplog: pytest.LogCaptureFixture,
    limit: dict[str, object],
    used: Reply,
    exceeded: str,
) -> None:
    plugin = AloneResources(watcher="w", max_count=1, host="127.0.0.1", port=sink.port, **limit)
    plugin.answers = {"stats w": used}
    plugin.look_after()
    assert plugin.did == []
    plugin.look_after()
    assert plugin.did == [("restart", {"name": "w"})]
    assert f"w: {exceeded}, 2 times in a row" in caplog.messages
    names = "circus.resource_watcher.watcher._resource_watcher.w."
    assert sink.wait(f"{names}restarting") == 1
    plugin.handle_stop()
    assert [name for name, _, _ in sink.found] == [
        *(f"{names}{exceeded}", f"{names}{exceeded}", f"{names}restarting")
    ]


def test_what_circusd_refuses_to_tell_is_counted_as_an_error(
    sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    where = {"host": "127.0.0.1", "port": sink.port}
    one, every = AloneResources(watcher="w", **where), AloneStats(**where)
    one.answers = {"stats w": {"status": "error", "reason": "program w not found"}}
    every.answers = {"stats": {"status": "error", "reason": "denied"}}
    for plugin, counted in (
        (one, "circus.resource_watcher.watcher._resource_watcher.w.error"),
        (every, "circus.app.watcher._stats.error"),
    ):
        plugin.look_after()
        assert sink.wait(counted) == 1
        plugin.handle_stop()
    assert caplog.messages == ["Cannot look after w: program w not found"]
    assert one.did == []


# -- CommandReloader ------------------------------------------------


def test_only_a_program_that_is_another_one_is_a_reason_to_restart(tmp_path: Path) -> None:
    program = tmp_path / "program"
    plugin = AloneReloader()
    options = {
        "later": {"cmd": "./program", "working_dir": str(tmp_path)},
        "shell": {"cmd": str(program), "shell": True},
        "quote": {"cmd": f"{program} 'open"},
        "empty": {"cmd": ""},
    }
    plugin.answers = {"list": {"watchers": [*options, "plugin:p"]}}
    plugin.answers |= {f"get {name}": {"options": one} for name, one in options.items()}
    moments = iter(range(1, 100))

    def written() -> None:
        program.touch()
        os.utime(program, (moment := next(moments), moment))

    plugin.look_after()  # it is not there
    written()
    plugin.look_after()  # it is seen for the first time
    program.unlink()
    plugin.look_after()  # it is not there again: somebody may be about to put another one there
    assert plugin.did == []
    written()
    plugin.look_after()
    assert plugin.did == [("restart", {"name": "later"})]
    plugin.look_after()
    assert len(plugin.did) == 1


# -- WatchDog ------------------------------------------------


def test_silence_counts_while_a_worker_runs_whose_watcher_is_meant() -> None:
    how = {"watchers_stop_signal": "INT", "watchers_graceful_timeout": "2"}
    plugin = AloneDog(loop_rate=0, watchers_regex="w$", **how)
    plugin.answers = {"list": {"watchers": ["w", "other"]}, "list w": {"pids": [1]}}
    for topic, pid in (
        *(("watcher.w.spawn", 5), ("watcher.w.spawn", 6), ("watcher.other.spawn", 7)),
        *(("watcher.plugin:w.spawn", 8), ("watcher.w.reap", 5), ("watcher.other.reap", 7)),
    ):
        plugin.hear(topic, pid)
    plugin.look_after()
    assert plugin.did == [
        ("kill", {"name": "w", "pid": pid, "signum": "INT", "graceful_timeout": 2.0})
        for pid in (6, 1)
    ]
