"""What circusd does with real programs, told and asked over its control socket."""

from __future__ import annotations

import contextlib
import os
import signal
from functools import partial
from typing import TYPE_CHECKING

from circus.client import make_message
from tests.support import alive, child, children, ready, wait_until

if TYPE_CHECKING:
    from tests.daemon.conftest import Start
    from tests.support import Daemon

DEAF = f"[watcher:deaf]\ncmd = {child('ignore_term')}\ngraceful_timeout = 1000\n"
SLEEPERS = """
[watcher:web]
cmd = sleep 3600
numprocesses = 3
"""


def test_t1_t2_a_slow_stop_holds_up_nobody_else(circusd: Start) -> None:
    daemon = circusd(f"[circus]\ncheck_delay = 1000\n{DEAF}{SLEEPERS}")
    daemon.wait_pids("web", 3)
    wait_until(lambda: ready(daemon.text()))
    assert daemon.call("stop", name="deaf")["status"] == "ok"
    for verb in ("stop", "start", "restart", "reload"):
        assert daemon.call(verb, name="web", waiting=True)["status"] == "ok"
    assert daemon.call("incr", name="web", waiting=True)["numprocesses"] == 4
    assert daemon.call("decr", name="web", waiting=True)["numprocesses"] == 3
    assert daemon.call("add", name="new", cmd="sleep 3600", start=True, waiting=True)["started"]
    assert daemon.call("rm", name="new", waiting=True)["status"] == "ok"
    for _ in range(5):  # the dead are replaced, and nothing but their death can be the reason
        victim = daemon.pids("web")[0]
        os.kill(victim, signal.SIGKILL)
        wait_until(partial(is_replaced, daemon, victim))
    assert daemon.call("status", name="deaf")["status"] == "stopping"
    assert daemon.call("kill", name="deaf", graceful_timeout=0, waiting=True)["status"] == "ok"
    assert daemon.call("status", name="deaf")["status"] == "stopped"


def is_replaced(daemon: Daemon, victim: int) -> bool:
    pids = daemon.pids("web")
    return len(pids) == 3 and victim not in pids


def test_t4_stopped_means_that_nothing_is_left(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:tree]
cmd = trap '' TERM; (setsid sleep 1001 &); (setsid sh -c "sleep 1002; sleep 1002" &);
    sleep 1003 & sleep 1004
shell = True
graceful_timeout = 0.5
"""
    )
    daemon.wait_pids("tree", 1)

    def sleepers() -> list[int]:
        found = []
        for name in os.listdir("/proc"):
            if name.isdecimal():
                try:
                    with open(f"/proc/{name}/environ", "rb") as file:
                        ours = f"tree.1.{daemon.process.pid}.".encode() in file.read()
                except OSError:
                    continue
                if ours and alive(int(name)):
                    found.append(int(name))
        return found

    wait_until(lambda: len(sleepers()) >= 5)
    answer = daemon.call("stop", name="tree", waiting=True)
    assert answer["status"] == "ok"
    assert sleepers() == []
    assert any("sleep" in one for one in answer["killed"])


def test_t22_the_last_output_arrives(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:loud]
cmd = head -c 1048576 /dev/zero | tr '\\0' x; kill -9 $$
shell = True
copy_env = True
respawn = False
stdout_stream.class = FileStream
stdout_stream.filename = FOLDER/loud.log
"""
    )
    log = daemon.folder / "loud.log"
    wait_until(lambda: log.exists() and log.stat().st_size == 1048576)


def test_who_has_done_its_work_is_not_started_again(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:done]
cmd = exit 3
shell = True
done_codes = 0, 3
[watcher:killed]
cmd = kill -9 $$
shell = True
done_codes = 0, 3, 9, 137
"""
    )
    wait_until(lambda: daemon.slots("done")[0]["state"] == "done")
    slot = daemon.slots("done")[0]
    assert (slot["restarts"], slot["failures"]) == (0, 0)
    assert slot["next"] == "nothing: it ended with one of its done_codes"
    wait_until(lambda: daemon.slots("killed")[0]["state"] == "failed")


def test_dependencies_and_priority_give_the_order(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:app]
cmd = sleep 3600
requires = db
priority = 9
[watcher:db]
cmd = sleep 3600
ready_after = 0.3
[watcher:first]
cmd = sleep 3600
priority = 5
[watcher:lonely]
cmd = sleep 3600
requires = broken
[watcher:broken]
cmd = /nowhere/program
max_retry = 1
"""
    )
    daemon.wait_pids("app", 1)
    log = daemon.text()
    assert log.index("first.1 started") < log.index("db.1 started") < log.index("app.1 started")
    answer = daemon.call("why", name="lonely")["watchers"][0]
    assert answer["waits_for"] == "broken"
    assert daemon.call("quit", waiting=True)["status"] == "ok"
    daemon.process.wait(timeout=30)
    log = daemon.text()
    assert log.index("app stopped") < log.index("db.1 (pid")


def test_reload_keeps_the_old_when_the_new_does_not_stand(circusd: Start) -> None:
    daemon = circusd(SLEEPERS)
    old = daemon.wait_pids("web", 3)
    answer = daemon.call("reload", name="web", waiting=True)
    assert answer["info"]["stopped"] == sorted(old)
    now = daemon.wait_pids("web", 3)
    daemon.call("set", name="web", options={"ready_after": 0.5}, waiting=True)
    answer = daemon.call("set", name="web", options={"cmd": "/bin/false"}, waiting=True)
    assert answer["status"] == "error"
    assert "did not stand" in answer["reason"]
    assert daemon.pids("web") == now


def test_second_signal_does_not_wait(circusd: Start) -> None:
    daemon = circusd(DEAF)
    wait_until(lambda: ready(daemon.text()))
    daemon.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "Got signal SIG_TERM" in daemon.text())
    daemon.process.send_signal(signal.SIGINT)
    assert daemon.process.wait(timeout=30) == 0


def test_t3_warm_up_holds_up_nothing(circusd: Start) -> None:
    text = "".join(
        f"[watcher:warm{n}]\ncmd = sleep 3600\nnumprocesses = 3\nwarmup_delay = 5\n"
        for n in range(50)
    )
    daemon = circusd(text + SLEEPERS)
    daemon.wait_pids("web", 3)
    wait_until(lambda: daemon.call("numprocesses")["numprocesses"] >= 53)
    for _ in range(100):
        assert daemon.call("status", name="warm7")["status"] in ("starting", "active")
    assert daemon.call("restart", name="web", waiting=True)["status"] == "ok"
    assert "ERROR" not in daemon.text()


def test_t6_wrong_commands_hold_up_nobody_and_are_not_told_for_ever(circusd: Start) -> None:
    """As many tries as there may be: the log grows with their logarithm only."""
    daemon = circusd(
        SLEEPERS
        + "".join(
            f"[watcher:bad{n}]\ncmd = /nowhere/program\nmax_retry = -1\nbackoff_delay = 0.01\n"
            "backoff_max = 0.05\n"
            for n in range(100)
        )
    )
    daemon.wait_pids("web", 3)
    wait_until(lambda: failures(daemon, "bad7") > 30, within=60)
    for _ in range(100):
        assert daemon.call("status")["status"] == "ok"
    assert daemon.call("restart", name="web", waiting=True)["status"] == "ok"
    why = daemon.slots("bad7")[0]
    assert "no such file" in why["last"]
    assert daemon.call("stop", name="bad*", waiting=True)["status"] == "ok"
    assert daemon.text().count("bad7.1: cannot start") < 20


def failures(daemon: Daemon, name: str) -> int:
    count: int = daemon.slots(name)[0]["failures"]
    return count


def test_t7_a_wrong_command_is_a_reason(circusd: Start) -> None:
    daemon = circusd(
        "".join(
            f"[watcher:{name}]\ncmd = {cmd}\nmax_retry = 2\nautostart = False\n"
            for name, cmd in {
                "missing": "/nowhere/program",
                "plain": "FOLDER/plain",
                "script": "FOLDER/script",
                "folder": "FOLDER",
            }.items()
        )
        + "[watcher:good]\ncmd = FOLDER/good 3600\n"
    )
    (daemon.folder / "plain").write_text("text")
    (daemon.folder / "script").write_text("#!/nowhere/python\n")
    (daemon.folder / "script").chmod(0o755)
    good = daemon.folder / "good"
    good.symlink_to("/bin/sleep")
    daemon.call("start", name="good", waiting=True)
    for verb in ("start", "restart", "reload"):
        for name, reason in {
            "missing": "no such file",
            "plain": "ermission denied",
            "script": "interpreter",
            "folder": "ermission denied",
        }.items():
            answer = daemon.call(verb, name=name, waiting=True)
            assert answer["status"] == "error"
            assert reason in answer["reason"]
    pids = daemon.wait_pids("good", 1)
    good.unlink()
    assert daemon.call("reload", name="good", waiting=True)["status"] == "error"
    assert daemon.pids("good") == pids


def test_t8_a_crash_loop_leaves_its_siblings_alone(circusd: Start) -> None:
    daemon = circusd(
        """
[watcher:mixed]
cmd = [ $(circus.wid) = 3 ] && exec sleep 3600; exit 1
shell = True
numprocesses = 3
max_retry = 30
backoff_delay = 0.01
backoff_max = 0.05
"""
    )
    third = wait_until(lambda: daemon.slots("mixed")[2]["pid"])
    # they are given up in the end, and it stays all the same
    wait_until(
        lambda: [slot["state"] for slot in daemon.slots("mixed")[:2]] == ["failed", "failed"]
    )
    last = daemon.slots("mixed")[2]
    assert (last["pid"], last["state"], last["restarts"]) == (third, "ready", 0)
    assert alive(third)
    given_up = "is given up: exited with code 1 (max_retry 30 reached)"
    told = [f"mixed.{wid} {given_up}" for wid in (1, 2)]  # nobody would see it by the watcher
    wait_until(lambda: [daemon.text().count(one) for one in told] == [1, 1])
    happened = daemon.call("events", since=0, topics=["watcher.mixed.gave_up"])["events"]
    assert sorted(event["message"]["wid"] for event in happened) == [1, 2]


def test_t15_growing_keeps_those_that_run(circusd: Start) -> None:
    daemon = circusd(SLEEPERS)
    before = daemon.wait_pids("web", 3)
    daemon.call("set", name="web", options={"numprocesses": 5}, waiting=True)
    assert (daemon.pids("web")[:3], len(daemon.pids("web"))) == (before, 5)
    daemon.write(SLEEPERS.replace("= 3\n", "= 7\n"))
    assert daemon.call("reloadconfig", waiting=True)["status"] == "ok"
    assert (daemon.pids("web")[:3], len(daemon.pids("web"))) == (before, 7)
    for _ in range(3):  # on top of each other
        daemon.call("reload", name="web")
    daemon.call("reload", name="web", waiting=True)
    assert len(daemon.pids("web")) == 7
    assert daemon.text().count("SIGKILL") == 0


def test_t16_no_new_worker_between_term_and_kill(circusd: Start) -> None:
    cmd = child("hold_slot", "FOLDER", "$(circus.wid)", "slow")
    daemon = circusd(f"[watcher:slow]\ncmd = {cmd}\nnumprocesses = 5\nmax_retry = -1\n")
    diary = daemon.folder / "diary"

    def told(what: str) -> int:
        return diary.read_text().count(what) if diary.exists() else 0

    wait_until(lambda: told("up") == 5)
    daemon.call("stop", name="slow")
    for pid in daemon.pids("slow")[:2]:  # nor when one is killed meanwhile
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: daemon.call("status", name="slow")["status"] == "stopped")
    assert (told("up"), told("two")) == (5, 0)
    for _ in range(5):
        daemon.call("restart", name="slow")
    assert daemon.call("restart", name="slow", waiting=True)["status"] == "ok"
    assert told("two") == 0


def test_t17_a_singleton_stays_one(circusd: Start) -> None:
    daemon = circusd("[watcher:one]\ncmd = sleep 3600\nsingleton = True\n")
    daemon.wait_pids("one", 1)
    for verb in ("incr", "decr", "decr", "incr"):
        answer = daemon.call(verb, name="one", waiting=True)
        assert (answer["status"], answer["numprocesses"]) == ("ok", 1)
        assert len(daemon.pids("one")) == 1
    for count in (0, 1):
        daemon.call("set", name="one", options={"numprocesses": count}, waiting=True)
        assert len(daemon.pids("one")) == count
    answer = daemon.call("set", name="one", options={"numprocesses": 2}, waiting=True)
    assert answer["status"] == "error"
    assert len(daemon.pids("one")) == 1


def test_t58_many_deaf_ones_stop_in_one_grace_period(circusd: Start) -> None:
    """One after the other they would take a quarter of an hour."""
    daemon = circusd(
        """
[watcher:many]
cmd = trap '' TERM; exec sleep 3600
shell = True
numprocesses = 500
graceful_timeout = 2
"""
    )
    wait_until(lambda: len(daemon.pids("many")) == 500, within=60)
    assert len(daemon.call("stop", name="many", waiting=True)["killed"]) > 400
    assert daemon.pids("many") == []


def test_workers_that_are_let_go_of_are_neither_replaced_nor_brought_back(circusd: Start) -> None:
    aged = "cmd = sleep 3600\nmax_age = 1\nmax_age_variance = 0\n"
    daemon = circusd(f"[watcher:free]\n{aged}[watcher:kept]\n{aged}autostart = False\n")
    (free,) = daemon.wait_pids("free", 1)
    assert daemon.call("rm", name="free", nostop=True)["status"] == "ok"
    daemon.call("start", name="kept", waiting=True)
    (kept,) = daemon.wait_pids("kept", 1)
    wait_until(lambda: daemon.pids("kept") not in ([], [kept]))  # which was started later
    assert alive(free)
    os.kill(free, signal.SIGTERM)
    wait_until(lambda: f"free.1 (pid {free}) killed by SIGTERM" in daemon.text())
    daemon.call("restart", name="kept", waiting=True)
    assert daemon.text().count("free.1 started") == 1


def test_starts_that_wait_while_their_watcher_is_let_go_of_are_dropped(circusd: Start) -> None:
    daemon = circusd(
        "[watcher:many]\ncmd = sleep 3600\nnumprocesses = 100\nautostart = False\n"
        "[watcher:last]\ncmd = sleep 3600\nautostart = False\n"
    )
    messages = [
        make_message("start", name="many"),
        make_message("rm", name="many", nostop=True),
        make_message("start", name="last", waiting=True),
    ]
    answers = daemon.client.call_all(messages)
    assert [one and one["status"] for one in answers] == ["ok"] * 3
    # all starts are in one queue, so those before it have had their turn
    _, _, after = daemon.text().partition("verb=rm")
    assert "last.1 started" in after
    assert "many." not in after
    let_go(daemon, "last")


def test_who_waits_for_a_watcher_that_is_let_go_of_is_told(circusd: Start) -> None:
    daemon = circusd("[watcher:w]\ncmd = sleep 3600\nready_after = 1000\nautostart = False\n")
    messages = [
        make_message("start", name="w", waiting=True),
        make_message("wait", names=["w"]),
        make_message("rm", name="w", nostop=True, waiting=True),
    ]
    *waited, removed = daemon.client.call_all(messages)
    assert [one and one["reason"] for one in waited] == ["w was removed meanwhile"] * 2
    assert (removed or {})["status"] == "ok"
    let_go(daemon)


def let_go(daemon: Daemon, *kept: str) -> None:
    """End the workers that are nobody's: some may have been started before."""
    ours = {pid for name in kept for pid in daemon.pids(name)}
    for pid in {*children(daemon.process.pid)} - ours:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: {*children(daemon.process.pid)} == ours)
