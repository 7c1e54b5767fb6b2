"""What hooks do to their watcher, and what they do not do to anybody else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zmq

from tests.support import alive, child, free_port, ready, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.daemon.conftest import Start
    from tests.support import Daemon

    Hooked = Callable[..., Daemon]

PRELUDE = """
import json, os, time
from pathlib import Path

from circus.client import CircusClient
from circus.exc import RetryLater

HERE = Path(__file__).parent


def note(hook_name, **what):
    with (HERE / "notes").open("a") as notes:
        print(json.dumps([hook_name, what]), file=notes)


def wait_for(name):
    while not (HERE / name).exists():
        time.sleep(0.01)


def yes(watcher, arbiter, hook_name, **given):
    note(hook_name, **given)
    return True


def no(watcher, arbiter, hook_name, **given):
    note(hook_name, **given)
    return False


def nothing(watcher, arbiter, hook_name, **given):
    note(hook_name, **given)


def fails(watcher, arbiter, hook_name, **given):
    note(hook_name, **given)
    raise ValueError("as it was told to")


def hangs(watcher, arbiter, hook_name, **given):
    note(hook_name, **given)
    wait_for("go")
    return True
"""


@pytest.fixture
def hooked(circusd: Start, tmp_path: Path) -> Hooked:
    """Starts a circusd with a module of hooks `mine` and a watcher `w` that has some of them."""

    def start(*options: str, code: str = "", more: str = "", cmd: str = "") -> Daemon:
        (tmp_path / "mine.py").write_text(PRELUDE + textwrap.dedent(code))
        watcher = ["[watcher:w]", f"cmd = {cmd or 'sleep 3600'}", *options]
        env = ["[env:w]", f"PYTHONPATH = {tmp_path}"]
        return circusd("\n".join([*watcher, *env, more, ""]))

    return start


def notes(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """What the hooks have written down, in order."""
    path = folder / "notes"
    return [tuple(json.loads(line)) for line in path.read_text().splitlines() if path.exists()]


def called(folder: Path) -> list[str]:
    path = folder / "notes"
    return [hook for hook, _ in notes(folder)] if path.exists() else []


def state(daemon: Daemon, name: str = "w") -> str:
    return str(daemon.call("status", name=name)["status"])


def why(daemon: Daemon, name: str = "w") -> str:
    return daemon.ctl("why", name).stdout


@pytest.mark.parametrize("hook", ["before_start", "after_start", "before_stop", "after_stop",
    "before_spawn", "after_spawn", "before_signal", "after_signal", "before_reap",
    "after_reap"])  # fmt: skip
def test_t57_a_hook_that_hangs_holds_up_nobody_else(
    hooked: Hooked, tmp_path: Path, hook: str
) -> None:
    daemon = hooked(
        f"hooks.{hook} = mine.hangs", "graceful_timeout = 0.1",
        more="[watcher:other]\ncmd = sleep 3600\n",
    )  # fmt: skip
    (old,) = daemon.wait_pids("other", 1)
    if hook not in ("before_start", "after_start", "before_spawn", "after_spawn"):
        daemon.wait_pids("w", 1)
        daemon.call("restart", name="w")
    wait_until(lambda: hook in called(tmp_path))
    assert daemon.call("kill", name="other", waiting=True)["status"] == "ok"
    daemon.wait_pids("other", 1)
    assert daemon.pids("other") != [old]
    if hook in ("before_start", "after_start", "before_stop", "after_stop"):
        assert f"waiting for its {hook} hook since" in why(daemon)
    (tmp_path / "go").touch()
    wait_until(lambda: state(daemon) == "active")


def test_every_hook_is_called_with_what_it_is_about(hooked: Hooked, tmp_path: Path) -> None:
    hooks = ("before_start", "after_start", "before_stop", "after_stop", "before_spawn",
        "after_spawn", "before_signal", "after_signal", "before_reap", "after_reap")  # fmt: skip
    daemon = hooked(*(f"hooks.{hook} = mine.yes" for hook in hooks))
    wait_until(lambda: state(daemon) == "active")
    (pid,) = daemon.pids("w")
    assert daemon.call("stop", name="w", waiting=True)["status"] == "ok"
    wait_until(lambda: len(called(tmp_path)) == len(hooks))
    given = dict(notes(tmp_path))
    assert called(tmp_path) == [
        "before_start", "before_spawn", "after_spawn", "after_start", "before_stop",
        "before_signal", "after_signal", "before_reap", "after_reap", "after_stop",
    ]  # fmt: skip
    assert given["after_spawn"] == {"pid": pid}
    assert given["before_signal"] == given["after_signal"] == {"pid": pid, "signum": 15}
    when = given["before_reap"]["time"]
    assert given["before_reap"] == {"process_pid": pid, "time": when}
    assert given["after_reap"] == {
        "process_pid": pid, "time": when, "exit_code": -15, "process_status": None,
    }  # fmt: skip


def test_a_worker_that_ends_by_itself_has_a_status(hooked: Hooked, tmp_path: Path) -> None:
    hooked("hooks.after_reap = mine.yes", "respawn = False", cmd="sh -c 'exit 3'")
    wait_until(lambda: called(tmp_path))
    ((_, given),) = notes(tmp_path)
    assert (given["exit_code"], given["process_status"]) == (3, 3 << 8)


REFUSALS = {
    "no": "hook {} returned no",
    "nothing": "hook {} returned nothing",
    "fails": "hook {} failed: ValueError: as it was told to",
}


@pytest.mark.parametrize("how", REFUSALS)
@pytest.mark.parametrize("hook", ["before_start", "after_start", "before_spawn", "after_spawn"])
def test_a_refusal_stops_the_watcher(hooked: Hooked, hook: str, how: str) -> None:
    daemon = hooked(f"hooks.{hook} = mine.{how}", "autostart = False")
    answer = daemon.call("start", name="w", waiting=True)
    reason = REFUSALS[how].format(hook)
    assert answer["reason"] == f"w: {reason}; stopped"
    assert state(daemon) == "stopped"
    assert daemon.pids("w") == []
    assert why(daemon) == f"w  stopped, {reason}\n"
    warned = f"w: hook {hook} returned None, which is a no" in daemon.text()
    assert warned == (how == "nothing")


@pytest.mark.parametrize("hook", ["before_start", "after_start", "before_spawn", "after_spawn"])
def test_a_failure_that_is_ignored_is_a_yes(hooked: Hooked, hook: str) -> None:
    daemon = hooked(f"hooks.{hook} = mine.fails,true")
    wait_until(lambda: state(daemon) == "active")
    assert f"w: hook {hook} failed: ValueError: as it was told to" in daemon.text()


@pytest.mark.parametrize("how", ["no", "nothing", "fails"])
def test_what_hooks_of_a_stop_say_is_ignored(hooked: Hooked, tmp_path: Path, how: str) -> None:
    hooks = ("before_stop", "after_stop", "after_signal", "before_reap", "after_reap")
    daemon = hooked(*(f"hooks.{hook} = mine.{how}" for hook in hooks))
    daemon.wait_pids("w", 1)
    answer = daemon.call("stop", name="w", waiting=True)
    assert answer["status"] == "ok"
    assert "killed" not in answer
    wait_until(lambda: sorted(called(tmp_path)) == sorted(hooks))


@pytest.mark.parametrize(("how", "heard"), [("no", False), ("nothing", False), ("fails", True)])
def test_before_signal_vetoes_all_but_sigkill(
    hooked: Hooked, tmp_path: Path, how: str, *, heard: bool
) -> None:
    daemon = hooked(
        f"hooks.before_signal = mine.{how}", "hooks.after_signal = mine.yes",
        "graceful_timeout = 0.3", "stdout_stream.filename = FOLDER/w.log",
        cmd=child("print_signals"),
    )  # fmt: skip
    output = daemon.folder / "w.log"
    wait_until(lambda: ready(output.read_text()))
    daemon.call("signal", name="w", signum=signal.SIGUSR1)
    wait_until(lambda: "before_signal" in called(tmp_path))
    if heard:
        wait_until(lambda: "SIGUSR1" in output.read_text())
    assert daemon.call("stop", name="w", waiting=True)["status"] == "ok"
    assert ("SIGUSR1" in output.read_text()) == heard
    kills = [given["signum"] for hook, given in notes(tmp_path) if hook == "after_signal"]
    assert set(kills) == ({10, 15} if heard else {9})


@pytest.mark.parametrize("hook", ["before_spawn", "after_spawn"])
def test_during_a_reload_only_the_new_worker_is_dropped(
    hooked: Hooked, tmp_path: Path, hook: str
) -> None:
    code = """
        def once(watcher, arbiter, hook_name, **given):
            note(hook_name)
            return not (HERE / "full").exists()
    """
    daemon = hooked(f"hooks.{hook} = mine.once", code=code)
    wait_until(lambda: state(daemon) == "active")
    old = daemon.pids("w")
    (tmp_path / "full").touch()
    reason = daemon.call("reload", name="w", waiting=True)["reason"]
    assert f"a new worker did not stand (hook {hook} returned no)" in reason
    wait_until(lambda: daemon.pids("w") == old)
    assert state(daemon) == "active"
    (tmp_path / "full").unlink()
    assert daemon.call("reload", name="w", waiting=True)["status"] == "ok"
    assert daemon.pids("w") != old


@pytest.mark.parametrize("hook", ["before_start", "after_start", "before_spawn", "after_spawn"])
def test_t57_a_hook_may_ask_to_try_again_later(hooked: Hooked, tmp_path: Path, hook: str) -> None:
    code = """
        def patient(watcher, arbiter, hook_name, **given):
            note(hook_name)
            if not (HERE / "go").exists():
                raise RetryLater("the database is away")
            return True
    """
    daemon = hooked(
        f"hooks.{hook} = mine.patient", "backoff_delay = 0.05", "backoff_max = 0.1",
        "autostart = False", "max_retry = 1", code=code,
    )  # fmt: skip
    reason = daemon.call("start", name="w", waiting=True)["reason"]
    assert f"hook {hook} asks to try again later: the database is away" in reason
    assert "in 0." in reason
    wait_until(lambda: called(tmp_path).count(hook) > 3)
    assert state(daemon) in ("starting", "stopping")
    (tmp_path / "go").touch()
    wait_until(lambda: state(daemon) == "active")


def test_a_hook_that_overruns_has_failed(hooked: Hooked, tmp_path: Path) -> None:
    daemon = hooked("hooks.before_start = mine.hangs", "autostart = False")
    daemon.call("set", name="w", options={"hook_timeout": 0.1})
    reason = daemon.call("start", name="w", waiting=True)["reason"]
    assert reason == "w: hook before_start failed: it did not return within 0.1 s; stopped"
    (tmp_path / "go").touch()  # a late answer is nobody's
    daemon.call("set", name="w", options={"hook_timeout": 60})
    assert daemon.call("start", name="w", waiting=True)["status"] == "ok"


def test_hooks_for_many_workers_hang_once(hooked: Hooked) -> None:
    daemon = hooked("hooks.before_spawn = mine.hangs,true", "numprocesses = 50",
        "autostart = False")  # fmt: skip
    daemon.call("set", name="w", options={"hook_timeout": 0.1})
    daemon.call("start", name="w")
    daemon.wait_pids("w", 50)
    assert daemon.text().count("the call before it failed") == 49


@pytest.mark.parametrize("hook", ["before_start", "before_spawn"])
def test_a_stop_wins_over_a_start_that_waits_for_a_hook(
    hooked: Hooked, tmp_path: Path, hook: str
) -> None:
    daemon = hooked(f"hooks.{hook} = mine.hangs", "hooks.after_start = mine.yes")
    wait_until(lambda: hook in called(tmp_path))
    daemon.call("stop", name="w")
    (tmp_path / "go").touch()
    wait_until(lambda: state(daemon) == "stopped")
    assert daemon.pids("w") == []
    assert "after_start" not in called(tmp_path)


def test_a_worker_that_ends_while_it_is_on_trial(hooked: Hooked, tmp_path: Path) -> None:
    daemon = hooked("hooks.after_spawn = mine.hangs", "respawn = False", cmd="true")
    wait_until(lambda: called(tmp_path))
    wait_until(lambda: daemon.pids("w") == [])
    (tmp_path / "go").touch()
    wait_until(lambda: state(daemon) == "stopped")
    assert "exited with code 0" in why(daemon)


def test_circusd_ends_though_hooks_never_return(hooked: Hooked, tmp_path: Path) -> None:
    daemon = hooked("hooks.before_stop = mine.hangs", "hooks.after_reap = mine.hangs")
    daemon.wait_pids("w", 1)
    daemon.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "before_stop" in called(tmp_path))
    daemon.process.send_signal(signal.SIGTERM)  # no patience for hook_timeout
    assert daemon.process.wait(timeout=30) == 0


def test_circusd_ends_once_its_hooks_were_told_of_every_end(hooked: Hooked, tmp_path: Path) -> None:
    daemon = hooked("hooks.after_reap = mine.hangs", "numprocesses = 3")
    pids = daemon.wait_pids("w", 3)
    daemon.process.send_signal(signal.SIGTERM)
    wait_until(lambda: called(tmp_path) and not any(map(alive, pids)))
    assert daemon.process.poll() is None
    (tmp_path / "go").touch()
    assert daemon.process.wait(timeout=30) == 0
    assert {given["process_pid"] for _, given in notes(tmp_path)} == set(pids)


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


def test_a_hook_that_hangs_over_a_signal_does_not_save_the_worker(
    hooked: Hooked, tmp_path: Path
) -> None:
    daemon = hooked(
        "hooks.before_signal = mine.hangs", "graceful_timeout = 0.2", "hook_timeout = 2"
    )
    (pid,) = daemon.wait_pids("w", 1)
    assert daemon.call("stop", name="w", waiting=True)["status"] == "ok"
    assert not alive(pid)
    assert f"w.1 did not stop by itself; killed: w.1 (pid {pid})" in daemon.text()
    assert called(tmp_path) == ["before_signal"]


def test_a_watcher_that_is_added_has_hooks_that_exist(hooked: Hooked, tmp_path: Path) -> None:
    daemon = hooked()
    env = {"PYTHONPATH": str(tmp_path)}
    for hook, word in (("mine.missing", "has no 'missing'"), ("nowhere.f", "no module named")):
        options = {"hooks": {"before_start": hook}, "env": env}
        answer = daemon.call("add", name="new", cmd="sleep 3600", start=True, options=options)
        assert (answer["status"], word in answer["reason"]) == ("error", True), answer
    assert daemon.call("list")["watchers"] == ["w"]
    options = {"hooks": {"before_start": "mine.yes"}, "env": env}
    answer = daemon.call("add", name="new", cmd="sleep 3600", start=True, options=options)
    assert answer["status"] == "ok"
    daemon.wait_pids("new", 1)
    assert called(tmp_path) == ["before_start"]


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


def test_t57_a_new_watcher_that_is_put_off_does_not_undo_a_reload(
    hooked: Hooked, tmp_path: Path
) -> None:
    code = """
        def never(*args, **kw):
            note("asked")
            raise RetryLater("not today")
    """
    daemon = hooked(code=code)
    (pid,) = daemon.wait_pids("w", 1)
    text = daemon.config.read_text()
    daemon.write(
        f"{text}[watcher:new]\ncmd = sleep 3600\nhooks.before_start = mine.never\n"
        f"[env:new]\nPYTHONPATH = {tmp_path}\n"
    )
    answer = daemon.call("reloadconfig", waiting=True)
    assert answer["status"] == "ok", answer
    assert daemon.pids("w") == [pid]
    assert state(daemon, "new") == "starting"
    assert daemon.call("stop", name="new", waiting=True)["status"] == "ok"
    asked = len(called(tmp_path))
    assert state(daemon, "new") == "stopped"
    assert len(called(tmp_path)) == asked


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


def test_set_imports_a_hook_again_and_restarts_nobody(hooked: Hooked, tmp_path: Path) -> None:
    daemon = hooked("hooks.before_stop = mine.yes", code="def late(*args, **kw): note('old')\n")
    pids = daemon.wait_pids("w", 1)
    before = (tmp_path / "mine.py").read_text()
    for text, reason in (
        ("this is no Python", "SyntaxError"),
        ("import sys\nsys.exit(0)\n", "SystemExit"),
        ("fine = 1\n", "has no 'late'"),
        ("late = 1\n", "is not callable"),
    ):
        (tmp_path / "mine.py").write_text(text)
        answer = daemon.call("set", name="w", options={"hooks.before_stop": "mine.late"})
        assert (answer["status"], reason in answer["reason"]) == ("error", True), answer
        assert daemon.call("get", name="w", keys=["hooks.before_stop"])["options"] == {
            "hooks.before_stop": ["mine.yes", False],
        }  # fmt: skip
    (tmp_path / "mine.py").write_text(before + "\ndef late(*args, **kw): note('new')\n")
    answer = daemon.call("set", name="w", options={"hooks.before_stop": "mine.late"})
    assert answer["status"] == "ok"
    assert daemon.pids("w") == pids
    daemon.call("stop", name="w", waiting=True)
    assert called(tmp_path) == ["new"]


BAD = {
    "no.such.hook": "cannot import 'no.such.hook': no module named 'no'",
    "mine.missing": "cannot import 'mine.missing': 'mine' has no 'missing'",
    "mine.HERE": "'mine.HERE' is not callable",
    "broken.hook": "cannot import 'broken.hook': ZeroDivisionError: division by zero",
    "endless.hook": "importing 'endless.hook' takes more than 0.5 s",
}


@pytest.mark.parametrize("arguments", [("--check",), ()])
@pytest.mark.parametrize("hook", BAD)
def test_a_hook_that_cannot_be_found_is_named_with_its_place(
    tmp_path: Path, hook: str, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "mine.py").write_text(PRELUDE)
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "endless.py").write_text("import threading\nthreading.Event().wait()\n")
    config = tmp_path / "circus.ini"
    patience = 0.5 if hook == "endless.hook" else 60
    config.write_text(
        f"[circus]\nendpoint = ipc://{tmp_path}/control\npubsub_endpoint = ipc://{tmp_path}/pub\n"
        f"[watcher:w]\ncmd = sleep 3600\nhook_timeout = {patience}\nhooks.after_stop = {hook}\n"
        f"[env:w]\nPATH = /usr/bin:/bin\n"
    )
    ended = subprocess.run(
        [sys.executable, "-m", "circus.circusd", *arguments, str(config)],
        capture_output=True, text=True, timeout=60, check=False, cwd="/",
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == f"{config}:7: hooks.after_stop: {BAD[hook]}"


def test_the_example_waits_for_its_store(circusd: Start, tmp_path: Path) -> None:
    examples = Path(__file__).parents[2] / "examples"
    port = str(free_port())
    module = (examples / "hooks_ready.py").read_text()
    (tmp_path / "hooks_ready.py").write_text(module.replace("7711", port))
    text = (examples / "hooks.ini").read_text().replace("7711", port)
    daemon = circusd(f"{text}\n[env:worker]\nPYTHONPATH = {tmp_path}\n")
    daemon.wait_pids("store", 1)
    daemon.wait_pids("worker", 1)
    assert daemon.call("stop", name="worker", waiting=True)["status"] == "ok"
    wait_until(lambda: state(daemon, "worker") == "stopped")


PROGRAM = """
from circus import get_arbiter

def enough(watcher, arbiter, hook_name):
    print(hook_name, watcher.name, arbiter is mine, watcher.status(), flush=True)
    arbiter.stop()
    return True

def ended(watcher, arbiter, hook_name, *, exit_code, **given):
    print(hook_name, exit_code, flush=True)

hooks = {"after_start": (enough, False), "after_reap": (ended, True)}
mine = get_arbiter([{"name": "w", "cmd": "sleep 3600", "copy_env": True, "hooks": hooks}])
mine.start()
print("over", flush=True)
"""


def test_a_program_gives_functions_as_hooks(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "RUNTIME_DIRECTORY": str(tmp_path)},
    )  # fmt: skip
    assert ended.stdout.splitlines() == [
        "after_start w True starting",
        "after_reap -15",
        "over",
    ], ended.stderr
    assert ended.returncode == 0
