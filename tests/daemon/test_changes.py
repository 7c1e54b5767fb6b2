"""What is changed while circusd runs, and what then does not go with the file any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.daemon.conftest import Start

TWO = "[watcher:web]\ncmd = sleep 1000\n[watcher:db]\ncmd = sleep 2000\n"
IDLE = "[watcher:idle]\ncmd = sleep 3000\nautostart = False\n"


def test_who_gets_autostart_is_started(circusd: Start) -> None:
    daemon = circusd(TWO + IDLE)
    answer = daemon.call("set", name="idle", options={"autostart": True}, waiting=True)
    assert answer["status"] == "ok"
    assert daemon.call("status", name="idle")["status"] == "active"


def test_what_is_required_from_now_on_is_started_unless_it_runs(circusd: Start) -> None:
    daemon = circusd(TWO + IDLE)
    (db,) = daemon.wait_pids("db", 1)
    answer = daemon.call("set", name="web", options={"requires": ["db", "idle"]}, waiting=True)
    assert answer["status"] == "ok"
    daemon.call("stop", name="web", waiting=True)
    assert daemon.call("start", name="web", waiting=True)["status"] == "ok"
    assert daemon.statuses() == dict.fromkeys(("db", "idle", "web"), "active")
    assert daemon.pids("db") == [db]


def test_a_file_that_does_not_go_with_what_was_set_is_refused(circusd: Start) -> None:
    daemon = circusd(TWO)
    (web,), (db,) = daemon.wait_pids("web", 1), daemon.wait_pids("db", 1)
    daemon.call("set", name="web", options={"requires": ["db"]}, waiting=True)
    daemon.write(TWO.partition("[watcher:db]")[0])
    answer = daemon.call("reloadconfig", waiting=True)
    assert answer["status"] == "error"
    assert "there is no watcher 'db'" in answer["reason"]
    assert (daemon.pids("web"), daemon.pids("db")) == ([web], [db])
    # what the file says may be had by forgetting what was set
    assert daemon.ctl("reloadconfig", "--reset", "--waiting").stdout == "ok\n"
    assert daemon.call("list")["watchers"] == ["web"]


def test_what_takes_another_start_of_circusd_is_told_until_then(circusd: Start) -> None:
    daemon = circusd(TWO)
    daemon.write(f"[circus]\npidfile = FOLDER/pid\n{TWO}")
    for times in (1, 2):
        assert daemon.call("reloadconfig", waiting=True)["status"] == "ok"
        told = "circus: pidfile; counts when circusd is started again"
        assert daemon.text().count(told) == times
        (step,) = daemon.json("plan")["steps"]
        assert (step["kind"], step["action"], step["why"]) == ("circus", "restart", ["pidfile"])
    assert not (daemon.folder / "pid").exists()
