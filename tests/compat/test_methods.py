"""Methods of arbiters and watchers that hooks, subclasses and plugins for circus 0.19 call."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from circus import get_arbiter
from circus.arbiter import Arbiter, ThreadedArbiter
from circus.client import CircusClient
from circus.exc import ArgumentError, CircusError, ConflictError, NotFound
from circus.watcher import Watcher
from tests.support import alive, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("home")


def before_signal(watcher: Watcher, arbiter: Arbiter, hook_name: str, **given: Any) -> bool:
    return bool(given.get("signum") != signal.SIGUSR2)


def extended_stats(stats: dict[str, Any], **given: Any) -> bool:
    stats["colour"] = "green"
    return True


@pytest.fixture
def arbiter() -> Iterator[ThreadedArbiter]:
    """One that runs in the background, with two watchers."""
    hooks = {"before_signal": (before_signal, False), "extended_stats": (extended_stats, False)}
    web = {"name": "web", "cmd": "sleep 3600", "numprocesses": 2, "hooks": hooks}
    made = get_arbiter([web, {"cmd": "sleep 3600"}], background=True)
    assert isinstance(made, ThreadedArbiter)
    made.start()
    wait_until(lambda: set(made.statuses().values()) == {"active"})
    yield made
    made.stop()


def test_a_worker_is_killed_and_replaced(arbiter: ThreadedArbiter) -> None:
    watcher = arbiter.get_watcher("web")
    first, second = watcher.get_active_processes()
    watcher.kill_process(first, sig=signal.SIGKILL).result(timeout=20)
    assert not alive(first.pid)
    assert (len(watcher), alive(second.pid)) == (2, True)
    before = watcher.get_active_pids()
    watcher.kill_processes("KILL", graceful_timeout=0.1).result(timeout=20)
    assert not set(before) & set(watcher.get_active_pids())
    assert len(watcher) == 2


@pytest.mark.parametrize(
    "name",
    [
        "manage_processes",
        "reap_processes",
        "reap_and_manage_processes",
        "spawn_process",
        "spawn_processes",
        "remove_expired_processes",
    ],
)
def test_what_goes_on_by_itself_may_be_asked_for(arbiter: ThreadedArbiter, name: str) -> None:
    watcher = arbiter.get_watcher("web")
    watcher.kill_process(watcher.get_active_processes()[0], signal.SIGKILL)
    assert getattr(watcher, name)().result(timeout=20) == {}
    assert len(watcher) == 2
    arbiter.manage_watchers().result(timeout=20)
    arbiter.reap_processes().result(timeout=20)
    assert watcher.reap_process(1).result(timeout=20) == {}


def test_signals_to_workers(arbiter: ThreadedArbiter) -> None:
    watcher = arbiter.get_watcher("web")
    first, second = watcher.get_active_processes()
    with pytest.raises(NotFound, match="is not a child"):
        watcher.send_signal_child(first.pid, 1, signal.SIGTERM)
    with pytest.raises(NotFound):
        watcher.send_signal(1, signal.SIGTERM)
    watcher.send_signal_children(first.pid, signal.SIGKILL)
    watcher.send_signal(second.pid, signal.SIGKILL)
    wait_until(lambda: second.pid not in watcher.pids())
    assert first.pid in watcher.pids()
    watcher.send_signal_process(first, signal.SIGKILL, recursive=True)
    wait_until(lambda: first.pid not in watcher.pids() and len(watcher) == 2)


def test_hooks_may_be_called(arbiter: ThreadedArbiter) -> None:
    watcher = arbiter.get_watcher("web")
    assert watcher.call_hook("before_signal", pid=1, signum=signal.SIGUSR1) is True
    assert watcher.call_hook("before_signal", pid=1, signum=signal.SIGUSR2) is False
    assert watcher.call_hook("after_start") is True
    with pytest.raises(ConflictError, match="loop's thread"):
        arbiter.door.ask(lambda: watcher.call_hook("before_signal"))
    with pytest.raises(ConflictError, match="no arbiter"):
        Watcher("web", "sleep 1").call_hook("before_start")


def test_extended_stats(arbiter: ThreadedArbiter) -> None:
    watcher = arbiter.get_watcher("web")
    pid = watcher.pids()[0]
    assert "colour" not in watcher.info()[str(pid)]
    assert {one["colour"] for one in watcher.info(extended=True).values()} == {"green"}
    found, plain = watcher.process_info(pid, extended=True), watcher.process_info(pid)
    assert isinstance(found, dict)
    assert isinstance(plain, dict)
    assert (found["pid"], found["colour"], plain["pid"]) == (pid, "green", pid)


def test_some_watchers_of_all(arbiter: ThreadedArbiter) -> None:
    def chosen() -> list[Watcher]:
        return [arbiter.get_watcher("sleep")]

    web = arbiter.get_watcher("web").pids()
    arbiter.stop_watchers(watcher_iter_func=chosen).result(timeout=20)
    assert arbiter.statuses() == {"sleep": "stopped", "web": "active"}
    arbiter.start_watchers(watcher_iter_func=chosen).result(timeout=20)
    before = arbiter.get_watcher("sleep").pids()
    arbiter.restart(watcher_iter_func=chosen).result(timeout=20)
    assert len(arbiter.get_watcher("sleep")) == 1
    assert not set(before) & set(arbiter.get_watcher("sleep").pids())
    assert arbiter.get_watcher("web").pids() == web


def test_a_restart_of_everything_takes_a_file(arbiter: ThreadedArbiter, home: Path) -> None:
    with pytest.raises(CircusError, match="did not come from a file"):
        arbiter.restart(inside_circusd=True).result(timeout=20)
    assert arbiter.config_file is None
    path = home / "circus.ini"
    path.write_text(f"[circus]\nendpoint = ipc://{home}/c\npubsub_endpoint = ipc://{home}/p\n")
    other = ThreadedArbiter.load_from_config(str(path))
    over = other.start()
    assert other.config_file == str(path)
    other.reload_from_config(str(path)).result(timeout=20)
    with pytest.raises(ConflictError, match="not the file in use"):
        other.reload_from_config("/etc/hosts").result(timeout=20)
    other.restart(inside_circusd=True)
    wait_until(over.done)
    assert over.result() is True
    assert other._restarting
    other.stop()


def test_subclasses_are_told_before_anything_starts() -> None:
    told: list[object] = []

    class Mine(Watcher):
        def initialize(self, evpub_socket: object, sockets: object, arbiter: object) -> None:
            super().initialize(evpub_socket, sockets, arbiter)
            told.append((len(self), arbiter is made, sockets is self.sockets))

    class MyArbiter(ThreadedArbiter):
        def initialize(self) -> None:
            super().initialize()
            told.append(self.statuses())

    made = MyArbiter([Mine("web", "sleep 3600")])
    assert made.watchers[0].sockets == {}
    made.start()
    made.stop()
    assert told == [(0, True, True), {"web": "stopped"}]


def test_its_state_and_its_hooks_are_told(arbiter: ThreadedArbiter) -> None:
    watcher = arbiter.get_watcher("web")
    assert watcher.hooks == {"before_signal": before_signal, "extended_stats": extended_stats}
    assert watcher.ignore_hook_failure == []
    assert not watcher.is_stopping()
    assert not watcher.is_stopped()
    watcher.stop().result(timeout=20)
    assert watcher.is_stopped()


def test_what_set_opt_asks_for_is_done(arbiter: ThreadedArbiter) -> None:
    watcher = arbiter.get_watcher("web")
    before = watcher.get_active_pids()
    number = watcher.set_opt("graceful_timeout", 3)
    watcher.do_action(number).result(timeout=20)
    assert watcher.get_active_pids() == before
    number = watcher.set_opt("cmd", "sleep 3601")
    watcher.do_action(number).result(timeout=20)
    assert not set(before) & set(watcher.get_active_pids())
    assert len(watcher) == 2


def test_an_event_of_ones_own_is_published(arbiter: ThreadedArbiter) -> None:
    arbiter.get_watcher("web").notify_event("seen", {"colour": "green"})
    client = CircusClient(endpoint=arbiter.endpoint)
    answer = wait_until(
        lambda: client.send_message("events", since=0, topics=["watcher.web.seen"])["events"]
    )
    client.stop()
    assert [one["message"]["colour"] for one in answer] == ["green"]


def test_how_many_there_are_to_be_can_be_said(arbiter: ThreadedArbiter) -> None:
    watcher = arbiter.get_watcher("web")
    assert watcher.set_numprocesses(3).result(timeout=20) == {"numprocesses": 3}
    assert len(watcher) == 3
    assert watcher.set_numprocesses(-1).result(timeout=20) == {"numprocesses": 0}
    assert len(watcher) == 0


def test_how_a_worker_is_is_asked_of_its_process(arbiter: ThreadedArbiter) -> None:
    watcher = arbiter.get_watcher("web")
    process = watcher.get_active_processes()[0]
    assert (process.poll(), process.is_alive()) == (None, True)
    pid = process.pid
    process.spawn()  # it is the arbiter that starts it
    assert process.pid == pid
    watcher.kill_process(process, signal.SIGKILL).result(timeout=20)
    assert (process.poll(), process.is_alive()) == (-signal.SIGKILL, False)


def test_options_are_set_before_an_arbiter_runs_it() -> None:
    watcher = Watcher("web", "sleep 3600")
    assert watcher.set_opt("numprocesses", 2) == 0
    made = ThreadedArbiter([watcher])
    made.start()
    wait_until(lambda: len(watcher) == 2)
    made.stop()


def test_a_child_is_named_with_its_parent(arbiter: ThreadedArbiter) -> None:
    with pytest.raises(ArgumentError, match=r"^cannot specify childpid without pid$"):
        arbiter.get_watcher("web").signal(signal.SIGTERM, childpid=1)
