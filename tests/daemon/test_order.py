"""What watchers ask of each other: who starts after whom, who pulls in whom, who waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support import child, text_of, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start
    from tests.support import Daemon

SLEEP = "cmd = sleep 3600\n"


def starts(daemon: Daemon) -> list[str]:
    """The workers that were started, in that order, from the log."""
    lines = [line.partition("[INFO] ")[2] for line in daemon.text().splitlines()]
    return [line.partition(" started, pid ")[0] for line in lines if " started, pid " in line]


def why(daemon: Daemon, name: str) -> dict[str, Any]:
    found: dict[str, Any] = daemon.call("why", name=name)["watchers"][0]
    return found


def test_a_chain_starts_link_by_link_whatever_the_priorities(circusd: Start) -> None:
    names = [f"w{number:02}" for number in range(20)]
    text = "".join(
        f"[watcher:{name}]\n{SLEEP}priority = {number}\nready_after = 0.01\n"
        + (f"after = {names[number - 1]}\n" if number else "")
        for number, name in enumerate(names)
    )
    daemon = circusd(text)
    wait_until(lambda: daemon.call("numprocesses")["numprocesses"] == 20)
    assert starts(daemon) == [f"{name}.1" for name in names]


def test_what_waits_for_one_without_workers_does_not_wait_for_ever(circusd: Start) -> None:
    daemon = circusd(f"[watcher:a]\n{SLEEP}numprocesses = 0\n[watcher:b]\n{SLEEP}after = a\n")
    daemon.wait_pids("b", 1)


def test_a_turn_that_has_not_come_holds_up_who_comes_after(circusd: Start) -> None:
    daemon = circusd(
        f"[circus]\nwarmup_delay = 0.2\n[watcher:a]\n{SLEEP}priority = 9\n"
        f"[watcher:b]\n{SLEEP}priority = 1\n[watcher:c]\n{SLEEP}priority = 5\nafter = b\n"
    )
    daemon.wait_pids("c", 1)
    assert starts(daemon) == ["a.1", "b.1", "c.1"]


def test_a_start_by_name_pulls_in_what_is_required(circusd: Start) -> None:
    daemon = circusd(
        f"[watcher:app]\n{SLEEP}autostart = False\nrequires = db\n"
        f"[watcher:db]\n{SLEEP}autostart = False\nrequires = disk\nready_after = 0.1\n"
        f"[watcher:disk]\n{SLEEP}autostart = False\n"
    )
    answer = daemon.call("start", name="app", waiting=True)
    assert answer["info"]["started"] == daemon.pids("app")
    assert starts(daemon) == ["disk.1", "db.1", "app.1"]


def test_a_start_that_cannot_happen_says_what_it_waits_for_and_waits_on(circusd: Start) -> None:
    daemon = circusd(
        f"[watcher:app]\n{SLEEP}autostart = False\nrequires = db\n"
        "[watcher:db]\ncmd = /nowhere/program\nautostart = False\nmax_retry = 1\n"
    )
    for _ in ("once", "and once more"):
        answer = daemon.call("start", name="app", waiting=True)
        assert answer["reason"] == "app waits for db, which is stopped"
    assert why(daemon, "app")["waits_for"] == "db"
    daemon.call("set", name="db", options={"cmd": "sleep 3600"})
    assert daemon.call("start", name="db", waiting=True)["status"] == "ok"
    daemon.wait_pids("app", 1)
    assert why(daemon, "app")["waits_for"] is None


def test_who_was_stopped_while_it_waited_is_not_started(circusd: Start) -> None:
    daemon = circusd(
        f"[watcher:app]\n{SLEEP}requires = db\n[watcher:db]\n{SLEEP}autostart = False\n"
    )
    assert why(daemon, "app")["waits_for"] == "db"
    assert daemon.call("stop", name="app", waiting=True)["status"] == "ok"
    assert daemon.call("start", name="db", waiting=True)["status"] == "ok"
    assert daemon.call("wait", names=["app"], until="settled")["statuses"] == {"app": "stopped"}


@pytest.mark.parametrize("verb", ["set", "add"])
def test_a_loop_is_refused_at_run_time_too(circusd: Start, verb: str) -> None:
    daemon = circusd(f"[watcher:a]\n{SLEEP}after = b\n[watcher:b]\n{SLEEP}")
    options = {"after": ["a" if verb == "set" else "new"]}
    if verb == "set":
        answer = daemon.call("set", name="b", options=options)
        assert answer["reason"].startswith("a dependency loop: ")
    else:
        answer = daemon.call("add", name="new", cmd="sleep 3600", options=options)
        assert answer["reason"] == "a dependency loop: new -> new"


def test_a_new_watcher_of_a_removed_name_waits_for_the_old_one(circusd: Start) -> None:
    daemon = circusd(
        "[watcher:w]\ncmd = trap '' TERM; echo ready; while :; do sleep 60 & wait; done\n"
        "shell = True\ncopy_env = True\ngraceful_timeout = 1\n"
        "stdout_stream.filename = FOLDER/w.log\n"
    )
    wait_until(lambda: text_of(daemon.folder / "w.log") == "ready\n")
    old = daemon.pids("w")[0]
    assert daemon.call("rm", name="w")["status"] == "ok"
    assert daemon.call("add", name="w", cmd="sleep 3600", start=True)["status"] == "ok"
    assert why(daemon, "w")["waits_for"] == "the old w"
    daemon.wait_pids("w", 1)
    log = daemon.text()
    assert log.index(f"w.1 (pid {old}) killed by SIGKILL") < log.rindex("w.1 started")


def test_a_start_right_behind_a_stop_is_the_last_word(circusd: Start) -> None:
    daemon = circusd(f"[watcher:a]\n{SLEEP}[watcher:b]\n{SLEEP}")
    (before,) = daemon.wait_pids("a", 1)
    for command in ("stop", "start"):  # both are there before one is answered
        daemon.client.socket.send_json({"command": command})
    wait_until(lambda: daemon.pids("a") not in ([], [before]))
    assert daemon.call("wait", names=["a", "b"], until="settled")["statuses"] == {
        "a": "active",
        "b": "active",
    }


def test_a_start_while_all_stop_in_turn_is_the_last_word(circusd: Start) -> None:
    daemon = circusd(
        f"[watcher:db]\n{SLEEP}"
        f"[watcher:app]\ncmd = {child('ignore_term')}\ngraceful_timeout = 0.5\nrequires = db\n"
        "stdout_stream.class = FileStream\nstdout_stream.filename = FOLDER/app.log\n"
    )
    log = daemon.folder / "app.log"
    wait_until(lambda: "ready" in text_of(log))
    (db,) = daemon.pids("db")
    (app,) = daemon.pids("app")
    assert daemon.call("stop")["status"] == "ok"
    assert daemon.call("start", waiting=True)["status"] == "ok"
    assert daemon.pids("db") == [db]
    assert daemon.pids("app") not in ([], [app])
