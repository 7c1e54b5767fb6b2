"""An arbiter in the background, of which a program asks for a restart, a reload or the end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from circus import get_arbiter
from tests.compat.programs import SLEEP
from tests.support import alive, child, ready, text_of, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from circus.arbiter import ThreadedArbiter

pytestmark = pytest.mark.usefixtures("home")


def test_a_restart_is_one_of_those_that_run_or_of_the_chosen(arbiter: ThreadedArbiter) -> None:
    web = arbiter.get_watcher("web")
    idle = arbiter.add_watcher("idle", "sleep 3600")
    before = set(web.pids())
    arbiter.restart().result(timeout=20)
    assert arbiter.statuses() == {"web": "active", "idle": "stopped"}
    first = set(web.pids())
    assert not before & first
    arbiter.restart(watcher_iter_func=lambda: [idle]).result(timeout=20)
    assert arbiter.statuses() == {"web": "active", "idle": "active"}
    assert set(web.pids()) == first


def test_prereload_fn_is_called_before_a_reload() -> None:
    seen: list[tuple[object, list[int]]] = []
    arbiter = get_arbiter(
        [dict(SLEEP)],
        background=True,
        prereload_fn=lambda given: seen.append((given, given.get_watcher("web").pids())),
    )
    arbiter.start()
    wait_until(lambda: arbiter.statuses() == {"web": "active"})
    before = arbiter.get_watcher("web").pids()
    arbiter.reload().result(timeout=20)
    assert seen == [(arbiter, before)]
    assert not set(before) & set(arbiter.get_watcher("web").pids())
    arbiter.stop()


def test_an_emergency_stop_waits_for_nobody(home: Path) -> None:
    deaf = {
        "name": "deaf",
        "cmd": child("ignore_term"),
        "graceful_timeout": 1000,
        "stdout_stream": {"class": "FileStream", "filename": str(home / "deaf.log")},
    }
    arbiter = get_arbiter([deaf], background=True)
    arbiter.start()
    (pid,) = wait_until(lambda: ready(text_of(home / "deaf.log")))
    ending = threading.Thread(target=arbiter._emergency_stop)
    ending.start()
    wait_until(lambda: not arbiter.running)
    assert not alive(pid)
    ending.join()


def test_it_may_be_stopped_from_its_own_thread() -> None:
    arbiter = get_arbiter([dict(SLEEP)], background=True)
    over = arbiter.start(lambda _: arbiter.stop())
    assert over.result(timeout=20) is False
    assert not arbiter.running
