"""Commands that a module of the administrator declares, in the form of circus 0.19."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from circus.commands.own import import_commands
from circus.config.model import CircusConfig
from tests.support import as_user, needs_root, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.daemon.conftest import Start
    from tests.support import Daemon

MODULE = '''
import asyncio
import threading

from circus.commands.base import Command
from circus.exc import CircusError


class Greet(Command):
    """Greet somebody

    And tell how many watchers there are."""

    name = "greet"
    properties = ["who"]
    options = [("l", "loud", False, "as loud as can be"), ("", "times", 1, "so many times")]

    def execute(self, arbiter, props):
        assert threading.current_thread() is not threading.main_thread()
        said = f"hello {props['who']} and {arbiter.numwatchers()} watchers"
        said = said.upper() if props.get("loud") else said
        return {"said": [said] * int(props.get("times", 1))}

    def console_msg(self, msg):
        return "\\n".join(msg["said"])


class Empty(Command):
    """Stop a watcher"""

    name = "empty"
    role = "operate"
    properties = ["name"]

    def execute(self, arbiter, props):
        return arbiter.get_watcher(props["name"]).stop()


class Soon(Command):
    """Wait for a file"""

    name = "soon"
    properties = ["path"]

    def execute(self, arbiter, props):
        return open(props["path"]).read().split()


class Mine(Command):  # without a name it is no command
    """What these have in common"""

    role = "read"


class Odd(Mine):
    """Return what is no answer"""

    name = "odd"

    def execute(self, arbiter, props):
        return 7


class Wise(Mine):
    """Refuse in its own words"""

    name = "wise"

    def execute(self, arbiter, props):
        raise CircusError("not on a Sunday")


class Broken(Mine):
    """Go wrong"""

    name = "broken"

    def execute(self, arbiter, props):
        return 1 / 0
'''
CONFIG = "[circus]\ncommands = mine\n[watcher:w]\ncmd = sleep 3600\n"


@pytest.fixture
def daemon(circusd: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Daemon:
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    return circusd(CONFIG)


def test_circusctl_has_them_when_it_is_told_where_they_are(daemon: Daemon) -> None:
    greet = ("--commands", "mine", "greet")
    ended = daemon.ctl(*greet, "world", "--loud", "--times", "2")
    assert (ended.stdout, ended.stderr) == ("HELLO WORLD AND 1 WATCHERS\n" * 2, "")
    assert '"said": ["hello you and 1 watchers"]' in daemon.ctl("--json", *greet, "you").stdout
    assert "Greet somebody" in daemon.ctl("--commands", "mine", "--help").stdout
    told = daemon.ctl(*greet, "--help").stdout
    assert told.startswith("Greet somebody\n\nAnd tell how many watchers there are.")
    assert "usage: circusctl greet [--loud] [--times TIMES] [ARGUMENTS...]" in told
    refused = daemon.ctl(*greet)
    assert (refused.returncode, refused.stderr) == (
        3, "error: message invalid 'who' is missing\n",
    )  # fmt: skip
    assert daemon.ctl(*greet, "a", "b").returncode == 2
    assert daemon.ctl("greet", "world").returncode == 2  # nobody told it
    missing = daemon.ctl("--commands", "mine.nope", "greet")
    assert missing.returncode == 1
    assert missing.stderr == "cannot import 'mine.nope': 'mine' has no 'nope'\n"
    typed = subprocess.run(
        [sys.executable, "-m", "circus.circusctl", "--endpoint", daemon.endpoint,
         "--commands", "mine"],
        input="greet you\nhelp greet\n", capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "hello you and 1 watchers\n(circusctl) Greet somebody\n" in typed.stdout


def test_what_they_return_is_the_answer(daemon: Daemon, tmp_path: Path) -> None:
    daemon.wait_pids("w", 1)
    assert daemon.call("empty", name="w")["status"] == "ok"
    assert daemon.call("status", name="w")["status"] == "stopped"
    missing = daemon.call("empty", name="nope")
    own = daemon.call("stop", name="nope")
    assert (missing["reason"], missing["errno"]) == (own["reason"], own["errno"])
    assert missing["reason"] == "program nope not found"
    assert daemon.call("broken")["reason"] == (
        "broken failed: ZeroDivisionError: division by zero"
    )  # fmt: skip
    assert daemon.call("odd")["reason"] == "odd failed: it returned int, no mapping"
    assert daemon.call("wise")["reason"] == "not on a Sunday"
    gone = tmp_path / "gone"
    assert daemon.call("soon", path=str(gone))["reason"] == (
        f"soon failed: FileNotFoundError: [Errno 2] No such file or directory: '{gone}'"
    )
    assert "dry run" in daemon.call("foresee", what="empty", given={"name": "w"})["reason"]
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    asking = subprocess.Popen(
        [sys.executable, "-m", "circus.circusctl", "--endpoint", daemon.endpoint, "--json",
         "--timeout", "0.2", "--commands", "mine", "soon", str(fifo)],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until(lambda: "verb=soon" in daemon.text())
    for _ in range(20):  # it takes its time, and holds up nobody
        assert daemon.call("list")["status"] == "ok"
    fifo.write_text("one two")
    assert '"result": ["one", "two"]' in asking.communicate(timeout=30)[0]


def test_one_that_never_returns_does_not_keep_circusd_from_ending(
    daemon: Daemon, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "fifo")
    asking = subprocess.Popen(
        [sys.executable, "-m", "circus.circusctl", "--endpoint", daemon.endpoint,
         "--commands", "mine", "soon", str(tmp_path / "fifo")],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until(lambda: "verb=soon" in daemon.text())
    assert daemon.call("quit", waiting=True)["status"] == "ok"
    assert daemon.process.wait(timeout=30) == 0
    assert asking.communicate(timeout=30)[1] == "error: circusd ends before this is done\n"
    assert asking.returncode == 3


@needs_root
def test_only_who_has_the_role_has_them_and_it_is_on_record(
    circusd: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(MODULE)
    tmp_path.chmod(0o755)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    daemon = circusd(CONFIG.replace("mine\n", "mine\noperate_users = 60012\n"))
    daemon.folder.chmod(0o755)

    words = ["circusctl", "--endpoint", daemon.endpoint, "--commands", "mine"]

    def asked(*more: str) -> str:
        ended = subprocess.run(
            [*as_user(60012, 60012), *words, *more],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return ended.stdout + ended.stderr

    assert asked("greet", "you").startswith("error: denied: 'greet' needs admin; you are uid 60012")
    assert asked("empty", "w") == "ok\n"
    line = r"Request .*uid=60012.* (verb=\S+ target=\S+) .*(outcome=\S+)"
    record = re.findall(line, daemon.text())
    assert record == [
        ("verb=greet target=-", "outcome=denied"),
        ("verb=empty target=w", "outcome=begun"),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import nowhere", "commands: cannot import 'bad': No module named 'nowhere'"),
        ("1 / 0", "commands: cannot import 'bad': ZeroDivisionError: division by zero"),
        ("raise SystemExit('no')", "commands: no"),
        (
            "from circus.commands.base import Command\nclass Mine(Command):\n    name = 'stop'\n",
            "commands: cannot import 'bad': ConflictError: cannot add command 'stop': it is that "
            "of circus.commands.lifecycle.Stop",
        ),
        (
            "from circus.commands.base import Command\nclass Mine(Command):\n    name = 'a b'\n",
            "commands: cannot import 'bad': CircusError: cannot add command 'a b': a name has "
            "letters, digits, - and _",
        ),
    ],
)
def test_a_module_that_cannot_be_had_is_told_with_its_line(
    tmp_path: Path, text: str, reason: str
) -> None:
    (tmp_path / "bad.py").write_text(text)  # it is found beside the file
    config = tmp_path / "x.ini"
    config.write_text("[circus]\ncommands = bad\n")
    for arguments in (["--check"], []):
        ended = subprocess.run(
            [sys.executable, "-m", "circus.circusd", *arguments, str(config)],
            capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "RUNTIME_DIRECTORY": str(tmp_path)},
        )  # fmt: skip
        assert ended.returncode == os.EX_CONFIG
        assert ended.stderr.splitlines()[-1].endswith(f"x.ini:2: {reason}"), ended.stderr


def test_a_module_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    code = f"import pathlib\npathlib.Path({str(tmp_path / 'fifo')!r}).read_text()\n"
    (tmp_path / "endless.py").write_text(code)
    told = import_commands(
        CircusConfig(commands=("endless", "nowhere")),
        lambda section, key: f"{section}/{key}",
        str(tmp_path / "circus.ini"),
        patience=0.2,
    )
    assert [str(problem) for problem in told] == [
        "circus/commands: commands: importing 'endless' takes more than 0.2 s",
        "circus/commands: commands: cannot import 'nowhere': no module named 'nowhere'",
    ]
    (tmp_path / "fifo").write_text("")  # now it ends


def test_nobody_names_a_module_to_circusd(daemon: Daemon) -> None:
    """Not in a message, and `set` is for watchers."""
    assert daemon.call("greet", who="you", commands="os")["said"] == ["hello you and 1 watchers"]
    assert daemon.call("set", name="w", options={"commands": "os"})["status"] == "error"
    assert "unknown command: 'nonsense'" in daemon.call("nonsense")["reason"]
