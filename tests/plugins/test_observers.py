"""Plugins that look after others, with those: a Redis, an HTTP server, a statsd server."""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from circus.plugins.http_observer import HttpObserver
from circus.plugins.redis_observer import RedisObserver
from tests.plugins.conftest import WATCHER
from tests.plugins.peers import REDIS, Sink, Web, needs_redis
from tests.plugins.peers import sink as sink
from tests.support import free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.daemon.conftest import Start

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
FAILED = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def plugin(use: str, sink: Sink, *options: str) -> str:
    """The section of a plugin `p` that sends to a sink."""
    where = ("[plugin:p]", f"use = circus.plugins.{use}", "host = 127.0.0.1", f"port = {sink.port}")
    return "\n".join([*where, *options, ""])


# -- statsd ------------------------------------------------


def test_events_are_counted(circusd: Start, sink: Sink) -> None:
    text = WATCHER.replace("watcher:w", "watcher:My Web:1")
    daemon = circusd(text + plugin("_statsd.StatsdEmitter", sink, "application_name = shop"))
    with daemon.restarting("my web:1"):
        for event in ("spawn", "kill", "reap", "start", "stop"):
            assert sink.wait(f"circus.shop.watcher.my_web_1.{event}") == 1


def test_what_watchers_use_is_sent(circusd: Start, sink: Sink) -> None:
    circusd(f"{WATCHER}numprocesses = 2\n" + plugin("statsd.FullStats", sink, "loop_rate = 0.1"))
    stats = "circus.app.watcher._stats.w."
    assert sink.wait(f"{stats}watchers_num") == 2
    sink.wait(f"{stats}watchers_num", after=1)
    gauges = [name.removeprefix(stats) for name, _, kind in sink.found if kind == "g"]
    first = [
        "watchers_num",
        "cpu_max",
        "cpu_sum",
        "mem_max",
        "mem_pct_max",
        "mem_pct_sum",
        "mem_sum",
    ]
    assert gauges[:7] == first
    biggest, all_of_it = sink.wait(f"{stats}mem_max"), sink.wait(f"{stats}mem_sum")
    assert 100_000 < biggest < all_of_it <= 2 * biggest


# -- Redis ------------------------------------------------


@needs_redis
def test_a_redis_that_hangs_is_restarted_once(circusd: Start, sink: Sink) -> None:
    observer = plugin(
        *("redis_observer.RedisObserver", sink, "redis_url = unix://FOLDER/redis.sock"),
        *("loop_rate = 0.1", "timeout = 0.5", "restart_on_timeout = redis"),
    )
    daemon = circusd(
        f"""
        [watcher:redis]
        cmd = redis-server --port 0 --unixsocket FOLDER/redis.sock --save ''
        executable = {REDIS}
        graceful_timeout = 0.2
        hooks.after_start = tests.plugins.written.hooks.redis_answers
        at = FOLDER/redis.sock
        """.replace("        ", "")
        + observer
    )
    numbers = "circus.redis_observer.watcher.redis_stats."
    assert sink.wait(f"{numbers}used_memory") > 100_000
    (pid,) = daemon.pids("redis")
    os.kill(pid, signal.SIGSTOP)
    assert sink.wait(f"{numbers}restart_on_error") == 1
    wait_until(lambda: daemon.pids("redis") not in ([], [pid]))
    # it is looked after again, and well
    seen = len(sink.values(f"{numbers}used_memory"))
    sink.wait(f"{numbers}used_memory", after=seen + 3)
    found = Counter(name.removeprefix(numbers) for name, _, _ in sink.found)
    assert (found["error"], found["restart_on_error"]) == (1, 1)
    assert daemon.text().count("redis.1 started") == 2


# -- HTTP ------------------------------------------------


def test_a_server_that_hangs_or_fails_has_its_watcher_restarted(circusd: Start, sink: Sink) -> None:
    answers: Iterator[bytes | None] = iter([OK, None, FAILED])
    with Web(lambda: next(answers, OK)) as web:
        daemon = circusd(
            WATCHER
            + plugin(
                *("http_observer.HttpObserver", sink, "loop_rate = 0.1", "timeout = 0.5"),
                *(f"check_url = {web.url}", "restart_on_error = w"),
            )
        )
        numbers = "circus.http_observer.watcher.http_stats."
        assert 0 < sink.wait(f"{numbers}request_time") < 500
        assert sink.wait(f"{numbers}error.599") == sink.wait(f"{numbers}error.503") == 1
        sink.wait(f"{numbers}request_time", after=1)
        assert len(sink.values(f"{numbers}restart_on_error")) == 2
        wait_until(lambda: daemon.text().count("w.1 started") == 3)
    sink.wait(f"{numbers}error.599", after=1)  # nobody is there any more


def test_a_server_that_hangs_holds_up_no_plugin(circusd: Start, sink: Sink) -> None:
    with Web(lambda: None) as web:
        url = f"check_url = {web.url}"
        hang = plugin("http_observer.HttpObserver", sink, "loop_rate = 0", "timeout = 3600", url)
        daemon = circusd(WATCHER + hang)
        (pid,) = daemon.wait_pids("plugin:p", 1)
        assert web.asked.wait(20)
        daemon.call("stop", name="plugin:p", waiting=True)
        assert f"plugin:p.1 (pid {pid}) exited with code 0" in daemon.text()


# -- without a watcher to restart ------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "option", "numbers"),
    [
        (HttpObserver, "check_url: http://127.0.0.1:PORT/", ("error", "error.599")),
        (RedisObserver, "redis_url: redis://127.0.0.1:PORT/0", ("error",)),
    ],
)
def test_one_that_is_to_restart_nobody_only_counts(
    sink: Sink, kind: type[HttpObserver | RedisObserver], option: str, numbers: tuple[str, ...]
) -> None:
    key, _, url = option.replace("PORT", str(free_port())).partition(": ")
    observer = kind("ipc://x", "ipc://y", 5.0, host="127.0.0.1", port=sink.port, **{key: url})
    observer.loop.run_sync(observer.look_after)
    observer.statsd.increment("all")
    sink.wait(f"{observer.prefix}.all")
    observer.handle_stop()
    observer.loop.close()
    names = [
        name.removeprefix(f"{observer.prefix}.").partition("_stats.") for name, _, _ in sink.found
    ]
    assert [name for _, _, name in names[:-1]] == [*numbers]
