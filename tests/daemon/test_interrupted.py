"""Changes of everything that end otherwise than they began: given up, undone, waiting."""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING

from tests.support import text_of, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start
    from tests.support import Daemon

SLOW = (
    "[watcher:slow]\nshell = True\ncopy_env = True\nready_after = 0.01\nstdout_stream.filename = "
    "FOLDER/out\ncmd = trap 'until [ -e FOLDER/go ]; do sleep 0.01; done; exit 0' TERM; echo up; "
    "while :; do sleep 0.01; done\n"
)
"""Ends once there is a file `go`."""
FAILS = "[watcher:bad]\ncmd = sh -c 'exit 7'\nmax_retry = 0\nready_after = 9\n"


def reload(daemon: Daemon, text: str, **options: bool) -> dict[str, tuple[str, list[str]]]:
    """Take `text` in; each watcher's step, which is what was foreseen."""
    daemon.write(text)
    foreseen = daemon.call("plan", **options)["steps"]
    answer = daemon.call("reloadconfig", waiting=True, **options)
    assert answer.get("steps") == foreseen, answer
    return {step["name"]: (step["action"], step["why"]) for step in foreseen}


def test_a_change_under_way_starts_nothing_once_circusd_ends(circusd: Start) -> None:
    daemon = circusd(SLOW)
    wait_until(lambda: text_of(daemon.folder / "out") == "up\n")
    daemon.write(f"{SLOW}numprocesses = 2\n[env:slow]\nNEW = 1\n[watcher:new]\ncmd = sleep 1000\n")
    assert daemon.call("reloadconfig")["status"] == "ok"
    daemon.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "Got signal SIG_TERM" in daemon.text())
    (daemon.folder / "go").touch()
    assert daemon.process.wait(20) == 0
    assert "new.1 started" not in daemon.text()
    assert "slow reloaded" not in daemon.text()


def test_who_is_to_wait_for_one_that_does_not_run_holds_up_no_change(circusd: Start) -> None:
    db = "[watcher:db]\ncmd = sleep 1000\nautostart = False\n"
    app = "[watcher:app]\ncmd = sleep 1000\nrequires = db\n"
    daemon = circusd(db)
    assert reload(daemon, db + app) == {"app": ("start", ["it is new"])}
    assert reload(daemon, f"{db}{app}[watcher:more]\ncmd = sleep 1000\nrequires = app\n") == {
        "more": ("start", ["it is new"])
    }
    assert daemon.statuses() == {"app": "stopped", "db": "stopped", "more": "stopped"}
    assert "more waits for db, which is stopped" in daemon.text()
    assert daemon.call("start", name="db", waiting=True)["status"] == "ok"
    daemon.wait_pids("more", 1)


def test_a_reset_starts_what_was_stopped_by_hand_also_when_it_changed(circusd: Start) -> None:
    text = "[watcher:db]\ncmd = sleep 1\n[watcher:idle]\ncmd = sleep 1\nautostart = False\n"
    daemon = circusd(text)
    daemon.call("stop", name="db", waiting=True)
    assert reload(daemon, text.replace("sleep 1", "sleep 1000"), reset=True) == {
        "db": ("start", ["cmd", "it was stopped by hand"]),
        "idle": ("live", ["cmd", "it is stopped and stays so"]),
    }
    assert daemon.statuses() == {"db": "active", "idle": "stopped"}


ON_DEMAND = (
    "[socket:s]\nhost = 127.0.0.1\nport = 0\n"
    "[watcher:od]\ncmd = sleep 1000\nsockets = s\non_demand = True\n"
)


def connect(daemon: Daemon) -> None:
    (sock,) = daemon.call("listsockets")["sockets"]
    socket.create_connection((sock["host"], sock["port"])).close()


def test_what_no_longer_waits_for_a_connection_starts(circusd: Start) -> None:
    daemon = circusd(ON_DEMAND)
    changed = ON_DEMAND.replace("on_demand = True", "on_demand = False")
    assert reload(daemon, changed) == {"od": ("start", ["on_demand"])}
    assert daemon.statuses() == {"od": "active"}


def test_who_waited_waits_again_and_who_did_not_run_does_not(circusd: Start) -> None:
    waits = "[watcher:waits]\ncmd = sleep 1000\nrequires = off\n"
    off = "[watcher:off]\ncmd = sleep 1000\nautostart = False\n"
    idle = "[watcher:idle]\ncmd = sleep 1000\nautostart = False\n"
    daemon = circusd(ON_DEMAND + waits + off + idle)
    before = daemon.statuses()
    sock = ON_DEMAND.partition("[watcher")[0]
    for text in (
        # some are gone, others start with what fails
        sock + off + idle.replace("autostart = False", "") + FAILS,
        ON_DEMAND.replace("on_demand = True", "") + waits + off + idle + FAILS,
    ):
        daemon.write(text)
        answer = daemon.call("reloadconfig", waiting=True)
        assert answer["reason"].endswith("everything is as it was before")
        assert daemon.statuses() == before
    connect(daemon)
    daemon.wait_pids("od", 1)
    assert daemon.pids("waits") == []
    daemon.call("start", name="off", waiting=True)
    daemon.wait_pids("waits", 1)


def test_hup_reloads_a_watcher_when_a_socket_of_its_name_is_another_one(circusd: Start) -> None:
    text = "[socket:web]\nhost = 127.0.0.1\nport = 0\n[watcher:web]\ncmd = sleep 1000\n"
    daemon = circusd(text)
    before = daemon.wait_pids("web", 1)
    daemon.write(text.replace("127.0.0.1", "127.0.0.2"))
    daemon.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(pids := daemon.pids("web")) == 1 and pids != before)


def test_who_waits_is_told_that_circusd_ends(circusd: Start) -> None:
    daemon = circusd("[watcher:idle]\ncmd = sleep 1000\nautostart = False\n")
    asked = {"command": "wait", "id": "1", "properties": {"names": ["idle"], "until": "active"}}
    daemon.client.socket.send_json(asked)
    daemon.client.socket.send_json({"command": "list", "id": "2"})  # answered after it has come
    assert daemon.client.socket.recv_json()["id"] == "2"
    daemon.process.send_signal(signal.SIGTERM)
    answer = daemon.client.socket.recv_json()
    assert answer["reason"] == "circusd ends before this is done"
