"""From what circusd and circusd-stats tell to what a browser is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from circus.picture.model import Process, Slot, Snapshot, Socket, Watcher
from circus.web.state import (
    SocketState,
    State,
    WatcherState,
    daemon_of,
    size_of,
    sockets_of,
    watchers_of,
)

NOW = 1_790_000_000.0


def slot(state: str = "ready", **more: object) -> dict[str, Any]:
    found = {"wid": 1, "state": state, "since": 5.0, "pid": 7, "what": "running"}
    return {**found, "last": "", "next": "", "restarts": 0, **more}


def told(*slots: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"name": "web", "state": "active", "numprocesses": 2, "slots": list(slots), **more}


def seen(
    watcher: dict[str, Any], *processes: Process, before: WatcherState | None = None
) -> WatcherState:
    """The state of one watcher that has these processes."""
    slots = tuple(Slot(None, "", (), one) for one in processes)
    snapshot = Snapshot((Watcher(watcher["name"], watcher["state"], slots),))
    known = {} if before is None else {"web": before}
    return watchers_of(snapshot, [watcher], NOW, known)["web"]


def test_a_watcher_that_is_well() -> None:
    child = Process(8, cpu=0.5, memory=0.1, resident="512.00K")
    process = Process(7, cpu=1.25, memory=0.5, resident="2.00M", below=(child,))
    found = seen(told(slot(restarts=2), group="front"), process)
    assert found == WatcherState(
        "active", "front", 1, 1, 2, 2, 1.8, 0.6, 2_621_440, NOW - 5.0, "", ""
    )


@pytest.mark.parametrize(
    ("watcher", "progress", "trouble"),
    [
        (told(slot(), slot("backoff", last="exited with code 3")), "",
         "1 of 2 backs off: exited with code 3"),
        (told(slot("failed"), slot("failed")), "", "2 of 2 were given up"),
        (told(slot("spawning"), slot("starting"), slot("stopping")), "2 starting, 1 stopping", ""),
        (told(slot(what="frozen")), "1 frozen", ""),
        (told(waits_for="db"), "waits for db", ""),
        (told(slot(), halted="its before_start hook said no"), "", "its before_start hook said no"),
        (told(slot("empty")), "", ""),
    ],
)  # fmt: skip
def test_what_goes_on_and_what_is_wrong(
    watcher: dict[str, Any], progress: str, trouble: str
) -> None:
    found = seen(watcher)
    assert (found.progress, found.trouble) == (progress, trouble)


def test_the_same_moment_is_told_with_the_same_number() -> None:
    before = WatcherState("active", changed=NOW - 5.4)
    assert seen(told(slot()), before=before).changed == NOW - 5.4
    assert seen(told(slot(since=1.0)), before=before).changed == NOW - 1.0
    assert seen(told(), before=before).changed == NOW - 5.4


def test_what_circus_019_tells_of_a_watcher() -> None:
    found = seen({"name": "web", "state": "active"}, Process(7, cpu=1.0))
    assert (found.state, found.ready, found.total, found.cpu) == ("active", None, None, 1.0)


def test_circusd_and_its_statistics() -> None:
    own = (Process(1, "circusd", "root", 0.5, 0.1, "30.00M", 5.4), Process(2, "circusd-stats"))
    explained = [{"name": "circusd-stats", "state": "active"}]
    found = daemon_of(Snapshot(own=own), "1.0", explained)
    assert (found.pid, found.version, found.age, found.stats) == (1, "1.0", 5.0, "active")
    assert daemon_of(Snapshot(), "", []).pid is None


def test_sockets_are_those_that_circusd_lists() -> None:
    listed = [
        {"fd": 5, "name": "http", "host": "::1", "port": 80, "backlog": 9, "queue": 1},
        {"fd": 6, "name": "unix", "path": "/x", "backlog": 9, "queue": 0},
    ]
    snapshot = Snapshot(sockets=(Socket(5, "http", "::1:80", 7, 3, 9), Socket(9, "old", "x")))
    assert sockets_of(listed, snapshot) == {
        "http": SocketState(5, "::1:80", 3, 9, 7),
        "unix": SocketState(6, "/x", 0, 9, None),
    }


def test_what_is_not_known_is_left_out() -> None:
    state = State(id="x-1", watchers={"web": WatcherState("active", cpu=1.0)})
    found = json.loads(json.dumps(state.as_json()))
    assert found["watchers"] == {
        "web": {"state": "active", "group": "", "cpu": 1.0, "progress": "", "trouble": ""}
    }
    assert set(found) == {
        *("id", "at", "live", "reason", "host", "endpoint", "daemon", "watchers", "sockets"),
    }


@pytest.mark.parametrize(
    ("text", "size"),
    [("100B", 100), ("9.77K", 10004), ("2.00G", 2**31), ("", None), ("N/A", None), ("x.M", None)],
)
def test_sizes_are_read_as_they_are_written(text: str, size: int | None) -> None:
    assert size_of(text) == size
