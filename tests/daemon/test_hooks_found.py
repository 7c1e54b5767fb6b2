"""Where hooks are found, and when their modules are read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.daemon.hooked import PRELUDE, called
from tests.support import Daemon, wait_until

if TYPE_CHECKING:
    from tests.daemon.hooked import Hooked


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
    assert ended.returncode == os.EX_CONFIG
    assert ended.stderr.splitlines()[-1] == f"{config}:7: hooks.after_stop: {BAD[hook]}"


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


def test_who_is_to_end_while_hooks_are_imported_ends(tmp_path: Path) -> None:
    (tmp_path / "endless.py").write_text(
        "import pathlib, threading\n"
        f"pathlib.Path({str(tmp_path / 'begun')!r}).touch()\nthreading.Event().wait()\n"
    )
    daemon = Daemon(
        "[watcher:w]\ncmd = sleep 3600\nhook_timeout = 600\nhooks.before_start = endless.hook\n"
        f"[env:w]\nPYTHONPATH = {tmp_path}\n"
    )
    wait_until((tmp_path / "begun").exists)
    daemon.process.terminate()
    assert daemon.process.wait(timeout=30) == 0
    assert "Arbiter now waiting for commands" not in daemon.text()
    assert daemon.stop() == 0
