"""Programs around an arbiter: a plain script, a command of Django, one that mypy looks at."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from circus.client import CircusClient
from tests.compat.programs import ROOT, Program
from tests.support import alive, wait_until

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import logging, subprocess, sys

from circus import get_arbiter

arbiter = get_arbiter({"name": "work", "cmd": "sleep 3600"}, background=True)
arbiter.start()
mine = subprocess.run(["sh", "-c", "exit 3"])
print(mine.returncode, logging.getLogger().handlers, flush=True)
if "--forget" not in sys.argv:
    arbiter.stop()
    print(arbiter.running)
"""

MANAGE = """
import os, sys

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
"""

SETTINGS = """
SECRET_KEY = "only for a test"
INSTALLED_APPS = ["jobs"]
JOBS = [{"name": "mailer", "cmd": "sleep 3600", "numprocesses": 2}]
"""

COMMAND = """
from django.conf import settings
from django.core.management.base import BaseCommand

from circus import get_arbiter


class Command(BaseCommand):
    def handle(self, *args, **options):
        arbiter = get_arbiter(settings.JOBS, background=True)
        arbiter.start()
        try:
            self.stdout.write("up")
            self.stdout.flush()
            input()
            self.stdout.write(str(arbiter.numprocesses()))
        finally:
            arbiter.stop()
"""

TYPED = """
from circus import get_arbiter
from circus.arbiter import Arbiter
from circus.sockets import CircusSocket
from circus.threads import Outcome
from circus.watcher import Watcher


class Mine(Arbiter):
    def stop(self) -> Outcome[dict[str, object]]:
        return super().stop()


def before(watcher: Watcher, arbiter: Arbiter, hook_name: str, **given: object) -> bool:
    outcome = watcher.incr(2)
    found: dict[str, object] = outcome.result(timeout=5)
    names: list[str] = [one.name for one in arbiter.watchers]
    return bool(found) and watcher.name in names


web = Watcher("web", "sleep", args=["1"], numprocesses=2, hooks={"before_start": (before, False)})
arbiter = Mine([web], sockets=[CircusSocket("http", port=0)], check_delay=1.0)
again: bool = arbiter.start(cb=lambda outcome: print(outcome.exception())).result()
reveal_type(get_arbiter("sleep 1", 4))
arbiter.statuses()["web"] + 1
"""


def test_a_plain_script(home: Path) -> None:
    assert Program(home, SCRIPT).end() == (0, "3 []\nFalse\n", "")


def test_one_that_forgets_to_stop_leaves_nothing(home: Path) -> None:
    assert Program(home, SCRIPT, "--forget").end() == (0, "3 []\n", "")


SUBREAPER = """
import os, prctl

from circus import get_arbiter

prctl.set_child_subreaper(1)
os.mkfifo("started")
shell = "sleep 3600 & echo > started; wait"
options = {"name": "work", "cmd": shell, "shell": True, "graceful_timeout": 0.1, "copy_env": True}
arbiter = get_arbiter(options, background=True)
arbiter.start()
open("started").read()
print(arbiter.get_watcher("work").stop().result(timeout=30))
arbiter.stop()
os.wait()  # the orphan is the program's own to collect
"""


def test_one_that_gets_the_orphans_of_its_workers_can_stop_them(home: Path) -> None:
    assert Program(home, SUBREAPER).end() == (0, "{'info': None}\n", "")


HANGING_UP = """
from circus import get_arbiter

arbiter = get_arbiter({"name": "work", "cmd": "sleep 3600"})
arbiter.start(lambda _: print("up", flush=True))
"""


def test_without_a_file_a_sighup_replaces_the_workers(home: Path) -> None:
    program = Program(home, HANGING_UP)
    assert program.line() == "up"
    client = CircusClient(endpoint=program.endpoint, timeout=30)

    def pids() -> list[int]:
        found: list[int] = client.send_message("list", name="work")["pids"]
        return found

    (before,) = pids()
    program.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(pids()) == 1 and pids() != [before] and not alive(before))
    client.stop()
    program.process.terminate()
    assert program.end() == (0, "", "")


def test_a_command_of_django(home: Path) -> None:
    commands = home / "jobs" / "management" / "commands"
    commands.mkdir(parents=True)
    (home / "settings.py").write_text(SETTINGS)
    (commands / "runjobs.py").write_text(COMMAND)
    for folder in (home / "jobs", home / "jobs" / "management", commands):
        (folder / "__init__.py").touch()
    program = Program(home, MANAGE, "runjobs")
    assert program.line() == "up"
    client = CircusClient(endpoint=program.endpoint, timeout=30)
    answer = client.send_message("start", name="mailer", waiting=True)
    assert answer["status"] == "ok"
    client.stop()
    program.type("\n")
    assert program.end() == (0, "2\n", "")


def test_types_are_there_for_programs(home: Path) -> None:
    script = home / "typed.py"
    script.write_text(TYPED)
    ended = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(script)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    said = [line.partition(": ")[2] for line in ended.stdout.splitlines()]
    assert said == [
        'note: Revealed type is "circus.arbiter.Arbiter"',
        'error: Unsupported operand types for + ("str" and "int")  [operator]',
    ]
