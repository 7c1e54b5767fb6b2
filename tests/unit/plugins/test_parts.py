"""What plugins are made of, without a circusd."""

from __future__ import annotations

import asyncio
import datetime
import os
import re
import shlex
import socket
from pathlib import Path
from typing import Any

import pytest

from circus.commands.look import Status
from circus.exc import CallError, CircusError
from circus.plugins import CircusPlugin, get_plugin_cmd
from circus.plugins.emit import Statsd
from circus.plugins.figures import bytes_of, parse_bytes, usage_of
from circus.plugins.host import made, options_of
from circus.plugins.http_observer import HttpObserver
from circus.plugins.loop import PluginLoop
from circus.plugins.metrics.families import FAMILIES, STATUSES, End, Numbers, Total
from circus.plugins.resource_watcher import ResourceWatcher
from circus.plugins.watchdog import WatchDog

PLACES = {
    "endpoint": "ipc://x",
    "pubsub_endpoint": "ipc://y",
    "check_delay": 5.0,
    "ssh_server": None,
}


class ByName(CircusPlugin):
    def __init__(self, filename: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filename = filename


class ByPlace(CircusPlugin):
    def __init__(self, *args: Any, **config: Any) -> None:
        super().__init__(*args, **config)
        self.filename = config["filename"]


class Documented(CircusPlugin):
    def __init__(
        self,
        endpoint: str,
        pubsub_endpoint: str,
        check_delay: float,
        ssh_server: str | None,
        **config: Any,
    ) -> None:
        super().__init__(endpoint, pubsub_endpoint, check_delay, ssh_server, **config)
        self.filename = config["filename"]


# -- made ------------------------------------------------


@pytest.mark.parametrize("kind", [ByName, ByPlace, Documented])
def test_every_style_of_constructor_gets_what_it_asks_for(kind: type[CircusPlugin]) -> None:
    plugin = made(kind, PLACES, {"filename": "f", "name": "plugin:x"})
    assert plugin.filename == "f"
    assert (plugin.endpoint, plugin.check_delay) == ("ipc://x", 5.0)
    assert plugin.config["name"] == "plugin:x"
    assert plugin.active


@pytest.mark.parametrize(
    ("kind", "config", "say"),
    [
        (ByName, {"name": "plugin:x"}, "cannot set plugin:x up: .*missing 1 required .*'filename'"),
        (ResourceWatcher, {}, "cannot set ResourceWatcher up: NotImplementedError: watcher is"),
        (ResourceWatcher, {"watcher": "w", "max_mem": "lots"}, "max_mem: 'lots' is not a size"),
        (ResourceWatcher, {"watcher": "w", "max_cpu": "x"}, "could not convert string to float"),
        (HttpObserver, {"check_url": "shop"}, "^check_url: 'shop' does not begin with http$"),
        (WatchDog, {"msg_regex": "(.*)"}, "msg_regex: it needs a group"),
        (WatchDog, {"watchers_regex": "("}, "watchers_regex: .* is no regular expression"),
    ],
)
def test_what_it_cannot_be_made_of_is_one_sentence(
    kind: type[CircusPlugin], config: dict[str, str], say: str
) -> None:
    with pytest.raises(CircusError, match=say):
        made(kind, PLACES, config)


def test_one_that_is_not_active_does_not_start() -> None:
    plugin = made(ByName, PLACES, {"filename": "f", "active": "False"})
    with pytest.raises(ValueError, match="Will not start an inactive plugin"):
        plugin.start()


def test_one_that_was_never_started_can_be_told_to_end() -> None:
    plugin = made(ByName, PLACES, {"filename": "f"})
    loop = plugin.loop.asyncio_loop
    plugin.stop()
    assert loop.is_closed()


def test_an_endpoint_that_is_none_is_told_with_the_reason() -> None:
    plugin = made(ByName, {**PLACES, "endpoint": "nonsense"}, {"filename": "f"})
    with pytest.raises(CallError, match=r"^cannot connect to nonsense: Invalid argument"):
        plugin.call("list")
    plugin.context.destroy()


def test_a_command_line_has_all_that_a_program_says() -> None:
    config = {"use": "m.C", "b": "two words", "a": "it's"}
    words = shlex.split(get_plugin_cmd(config, "e", "p", 5.0, None, debug=True))
    first = shlex.split("-m circus.plugins --endpoint e --pubsub p --check-delay 5 --config")
    assert words[1:] == [*first, "a:it's:::b:two words", "--log-level", "debug", "m.C"]
    assert "use" not in config
    assert options_of(words[words.index("--config") + 1]) == {"a": "it's", "b": "two words"}
    assert options_of(" a : 1 :::odd:::c:x:y") == {"a": "1", "c": "x:y"}


def test_the_name_of_a_watcher_may_have_dots() -> None:
    data = [b"watcher.a.b:c.spawn", b"{}"]
    assert CircusPlugin.split_data(data) == ("a.b:c", "spawn", b"{}")


# -- the loop ------------------------------------------------


def test_the_loop_has_the_names_of_both() -> None:
    loop = PluginLoop()
    found: asyncio.Queue[object] = asyncio.Queue()
    reading, writing = os.pipe()

    def readable(fd: int, events: int) -> None:
        found.put_nowait((os.read(fd, 1), events))
        loop.remove_handler(fd)

    async def later() -> None:
        found.put_nowait("coroutine")

    async def main() -> None:
        loop.add_callback(found.put_nowait, "callback")
        loop.add_callback(later)
        loop.add_timeout(loop.time() + 0.001, found.put_nowait, "deadline")
        loop.add_timeout(datetime.timedelta(milliseconds=1), found.put_nowait, "timedelta")
        loop.remove_timeout(loop.call_later(0, found.put_nowait, "never"))
        loop.add_handler(reading, readable, loop.READ)
        os.write(writing, b"x")
        future = loop.create_future()  # one of asyncio's
        loop.add_future(future, lambda done: found.put_nowait(done.result()))
        future.set_result("future")
        assert asyncio.get_running_loop() is loop.asyncio_loop
        expected = {"callback", "coroutine", "deadline", "timedelta", (b"x", 1), "future"}
        async with asyncio.timeout(20):
            assert {await found.get() for _ in range(6)} == expected

    loop.run(main())
    loop.close()
    os.close(reading)
    os.close(writing)


# -- numbers ------------------------------------------------


def test_lines_of_statsd() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(20)
        chances = iter([0.4, 0.6])
        port = sink.getsockname()[1]
        every = Statsd("a.b", "127.0.0.1", port)
        some = Statsd("a", "127.0.0.1", port, 0.5, chance=lambda: next(chances))
        every.increment("plugin:x y.spawn")
        every.decrement("c", 2)
        every.timed("t", 12.5)
        every.gauge("g", 1_234_567_890)
        every.gauge("h", 0.25)
        some.increment("kept")
        some.increment("left_out")
        some.gauge("all", 1)
        lines = [sink.recv(100).decode() for _ in range(7)]
        every.stop()
        some.stop()
    assert lines == [
        *("a.b.plugin_x_y.spawn:1|c", "a.b.c:-2|c", "a.b.t:12.5|ms", "a.b.g:1234567890|g"),
        *("a.b.h:0.25|g", "a.kept:1|c|@0.5", "a.all:1|g"),
    ]


def test_sizes_and_shares() -> None:
    assert [parse_bytes(text) for text in ("100B", "9.5K", "2G")] == [100, 9728, 2 * 1024**3]
    assert [bytes_of(told) for told in ("1.00M", "N/A", None)] == [1024**2, 0, 0]
    info = {"cpu": 1.5, "mem": "N/A", "mem_info1": "1.00M", "ctime": "2:03.50"}
    alone = usage_of(info, unknown=100.0)
    assert alone == (1.5, 100.0, 1024**2, 123.5)
    tree = usage_of({**info, "tree": {"cpu": 7.0, "busy": 9.0, "memory": 4096, "tasks": 3}})
    assert (tree.cpu, tree.memory_bytes, tree.cpu_seconds) == (7.0, 4096, 9.0)
    assert 0 < tree.memory < 1


def test_a_total_never_falls() -> None:
    total = Total()
    assert total.grown("w", {1: 3, 2: 1}) == 4
    assert total.grown("w", {1: 5}) == 6
    assert total.grown("w", {1: 2, 2: 1}) == 9  # both are new ones
    assert total.grown("other", {}) == 0


def test_ends_of_workers_are_told_twice_late_and_of_watchers_that_are_gone() -> None:
    numbers = Numbers()
    numbers.happened("watcher.w.reap", {"exit_code": 2, "time": 20.0})
    numbers.happened("watcher.gone.reap", {"exit_code": 1, "time": 1.0})
    late = [
        {"topic": "watcher.w.reap", "message": {"exit_code": 1, "time": 10.0}},
        {"topic": "watcher.w.remove", "message": {"time": 15.0}},  # then it was added again
        {"topic": "watcher.w.reap", "message": {"exit_code": 2, "time": 20.0}},
        {"topic": "watcher.gone.remove", "message": {"time": 2.0}},
    ]
    assert numbers.missed() == {"since": 0, "instance": None, "topics": ["watcher."]}
    numbers.heard({"events": late, "last": 7, "instance": "i"})
    assert numbers.ends == {"w": End(2, 20.0)}
    assert numbers.missed() == {"since": 7, "instance": "i", "topics": ["watcher."]}


def test_metrics_know_every_status_that_circusctl_tells() -> None:
    told = re.search(r"One of (.+)\.", Status.__doc__ or "")
    assert told is not None
    assert told[1].split(", ") == [*STATUSES]


def test_every_family_of_metrics_is_documented() -> None:
    page = Path(__file__).parents[3] / "docs" / "plugins.md"
    row = re.compile(r"^\| `(circus_\w+)` \| (\w+) \| [^|]*\| (.*) \|$", re.MULTILINE)
    table = row.findall(page.read_text())
    assert table == [tuple(one) for one in FAMILIES]
