"""What hooks do to their watcher, and what they do not do to anybody else."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.daemon.hooked import called, notes, state, why
from tests.support import alive, child, ready, text_of, wait_until

if TYPE_CHECKING:
    from tests.daemon.hooked import Hooked


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
    wait_until(lambda: ready(text_of(output)))
    daemon.call("signal", name="w", signum=signal.SIGUSR1)
    wait_until(lambda: "before_signal" in called(tmp_path))
    if heard:
        wait_until(lambda: "SIGUSR1" in text_of(output))
    assert daemon.call("stop", name="w", waiting=True)["status"] == "ok"
    assert ("SIGUSR1" in output.read_text()) == heard
    signals = {10, 15} if heard else {9}
    wait_until(
        lambda: (
            {given["signum"] for hook, given in notes(tmp_path) if hook == "after_signal"}
            == signals
        )
    )


ONCE = """
    def once(watcher, arbiter, hook_name, **given):
        note(hook_name)
        return not (HERE / "full").exists()
"""


@pytest.mark.parametrize("hook", ["before_spawn", "after_spawn"])
def test_during_a_reload_only_the_new_worker_is_dropped(
    hooked: Hooked, tmp_path: Path, hook: str
) -> None:
    daemon = hooked(f"hooks.{hook} = mine.once", code=ONCE)
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


@pytest.mark.parametrize("hook", ["before_spawn", "after_spawn"])
def test_a_reload_one_by_one_ends_at_the_worker_that_a_hook_refuses(
    hooked: Hooked, tmp_path: Path, hook: str
) -> None:
    """Its old one is gone by then; it is not said to have failed too often."""
    daemon = hooked(f"hooks.{hook} = mine.once", "numprocesses = 2", code=ONCE)
    wait_until(lambda: state(daemon) == "active")
    _, other = daemon.pids("w")
    (tmp_path / "full").touch()
    reason = daemon.call("reload", name="w", sequential=True, waiting=True)["reason"]
    assert f"a new worker did not stand (hook {hook} returned no)" in reason
    wait_until(lambda: daemon.pids("w") == [other])
    assert "nothing until it is started again" in why(daemon)
    assert "is given up" not in daemon.text()
    (tmp_path / "full").unlink()
    assert daemon.call("start", name="w", waiting=True)["status"] == "ok"
    assert other in daemon.wait_pids("w", 2)


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
    assert reason.endswith(("at once", "in 0.1 s"))
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


def test_a_worker_on_trial_is_still_being_started(hooked: Hooked, tmp_path: Path) -> None:
    """It runs, but nobody has said that it may: to kill it comes to nothing."""
    daemon = hooked("hooks.after_spawn = mine.hangs")
    wait_until(lambda: called(tmp_path) == ["after_spawn"])
    told = daemon.ctl("kill", "--dry-run", "w")
    assert told.stdout == "nothing  worker w.1  it is still being started\n"
    (pid,) = daemon.pids("w")
    daemon.call("kill", name="w")
    (tmp_path / "go").touch()
    wait_until(lambda: state(daemon) == "active")
    assert daemon.pids("w") == [pid]


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
