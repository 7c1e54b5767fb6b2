"""What hooks read, tell and ask for while they run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zmq

from tests.daemon.hooked import called, notes, state
from tests.support import wait_until

if TYPE_CHECKING:
    from tests.daemon.hooked import Hooked


def test_a_hook_reads_the_options_of_its_watcher(hooked: Hooked, tmp_path: Path) -> None:
    code = """
        def reads(watcher, arbiter, hook_name):
            options = dict(watcher.options())
            note(hook_name, mine=options["my.limit"], cmd=options["cmd"], env=watcher.env["A"],
                 count=watcher.numprocesses, pids=list(watcher.processes))
            return True
    """
    daemon = hooked("hooks.after_start = mine.reads", "my.limit = 7", code=code,
        more="[env:w*]\nA = 1\n")  # fmt: skip
    pids = daemon.wait_pids("w", 1)
    wait_until(lambda: called(tmp_path))
    ((_, found),) = notes(tmp_path)
    assert found == {"mine": "7", "cmd": "sleep 3600", "env": "1", "count": 1, "pids": pids}


def test_t57_a_hook_may_call_the_daemon_back(hooked: Hooked, tmp_path: Path) -> None:
    code = """
        def asks(watcher, arbiter, hook_name):
            client = CircusClient(endpoint=arbiter.endpoint, timeout=20)
            answer = client.send_message("incr", name="other", waiting=True)
            note(hook_name, answer=answer["numprocesses"], name=watcher.name,
                 status=watcher.status(), other=arbiter.get_watcher("other").numprocesses)
            client.stop()
            return True
    """
    daemon = hooked("hooks.before_start = mine.asks", code=code,
        more="[watcher:other]\ncmd = sleep 3600\n")  # fmt: skip
    wait_until(lambda: state(daemon) == "active")
    ((_, found),) = notes(tmp_path)
    assert found == {"answer": 2, "name": "w", "status": "starting", "other": 2}


def test_a_hook_may_act_on_watchers(hooked: Hooked, tmp_path: Path) -> None:
    code = """
        def acts(watcher, arbiter, hook_name):
            other = arbiter.get_watcher("other")
            note(hook_name, grown=other.incr().result(20)["numprocesses"])
            note(hook_name, pids=len(other.stop().result(20)) > 0, left=other.pids(),
                 word=other.status(), all=[one.name for one in arbiter.watchers])
            watcher.stop()  # its own: said, not waited for
            return True
    """
    daemon = hooked("hooks.after_start = mine.acts", code=code,
        more="[watcher:other]\ncmd = sleep 3600\npriority = 1\n")  # fmt: skip
    wait_until(lambda: (state(daemon), state(daemon, "other")) == ("stopped", "stopped"))
    assert [given for _, given in notes(tmp_path)] == [
        {"grown": 2},
        {"pids": True, "left": [], "word": "stopped", "all": ["other", "w"]},
    ]


def test_each_call_is_an_event(hooked: Hooked, tmp_path: Path) -> None:
    daemon = hooked("hooks.before_stop = mine.yes", "hooks.after_stop = mine.fails")
    daemon.wait_pids("w", 1)
    with zmq.Context() as context, context.socket(zmq.SUB) as sub:
        sub.subscribe("watcher.w.")
        sub.connect(f"ipc://{daemon.folder}/pubsub")
        # until a subscription is there, events pass by
        wait_until(lambda: daemon.call("set", name="w", options={"priority": 1}) and sub.poll(20))
        daemon.call("stop", name="w", waiting=True)
        found: dict[str, dict[str, Any]] = {}
        while "hook_failure" not in found:
            topic, payload = sub.recv_multipart()
            found[topic.decode().rpartition(".")[2]] = json.loads(payload)
    assert found["hook_success"]["name"] == "before_stop"
    failure = found["hook_failure"]
    assert set(failure) >= {"name", "time", "error"}
    assert (failure["name"], failure["error"]) == ("after_stop", "ValueError: as it was told to")


def test_extended_stats_that_hang_hold_up_nobody(hooked: Hooked, tmp_path: Path) -> None:
    daemon = hooked("hooks.extended_stats = mine.hangs")
    (pid,) = daemon.wait_pids("w", 1)
    daemon.call("set", name="w", options={"hook_timeout": 1.0})
    with subprocess.Popen(
        [sys.executable, "-m", "circus.circusctl", "--endpoint", daemon.endpoint,
         "stats", "--extended", "w"], stderr=subprocess.PIPE, text=True,
    ) as asking:  # fmt: skip
        wait_until(lambda: called(tmp_path))
        assert daemon.call("kill", name="w", waiting=True)["status"] == "ok"
        assert daemon.pids("w") != [pid]
        _, told = asking.communicate(timeout=30)
    assert "hook extended_stats failed: it did not return within 1 s" in told
    assert asking.returncode != 0


def test_extended_stats_adds_to_what_stats_tells(hooked: Hooked) -> None:
    code = """
        def more(watcher, arbiter, hook_name, pid, stats):
            stats["queue"] = [pid, hook_name]

        def less(watcher, arbiter, hook_name, pid, stats):
            stats["queue"] = object()
    """
    daemon = hooked("hooks.extended_stats = mine.more", "numprocesses = 2", code=code)
    pids = daemon.wait_pids("w", 2)
    info = daemon.call("stats", name="w", extended=True)["info"]
    assert {pid: one["queue"] for pid, one in info.items()} == {
        str(pid): [pid, "extended_stats"] for pid in pids
    }
    one = daemon.call("stats", name="w", process=pids[0], extended=True)
    assert one["info"]["queue"] == [pids[0], "extended_stats"]
    assert "queue" not in daemon.call("stats", name="w")["info"][str(pids[0])]
    for hook, reason in (
        ("mine.fails", "hook extended_stats failed: ValueError: as it was told to"),
        ("mine.less", "its stats are not JSON"),
    ):
        daemon.call("set", name="w", options={"hooks.extended_stats": hook})
        answer = daemon.call("stats", name="w", extended=True)
        assert answer["errno"] == 5
        assert reason in answer["reason"]
