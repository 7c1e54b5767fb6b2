"""What is made of a source does what the source asks for: circusd runs it, with stand-ins for the
programs, below a folder of the test's own."""

from __future__ import annotations

import contextlib
import grp
import json
import os
import pwd
import re
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from circus.importers.convert import convert
from tests.importers.golden import CASES, HOST, cases
from tests.importers.setups import SETUPS, Setup
from tests.support import Daemon, needs_root, text_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = re.compile(r"(?<![\w.$/})-])/(?!dev/|bin/|/)[\w./@+-]+|(?<=unix://)/[\w./@+%()-]+")
"""A path of a source that is moved below the test's folder."""
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
"""One that every user may run."""


class Machine:
    """A folder that stands for the root of a machine, with a circusd on what was imported."""

    def __init__(self, setup: Setup, root: Path) -> None:
        self.root = root
        self.root.chmod(0o755)
        self.told = self.root / "told"
        self.setup = setup
        case = next(one for one in cases() if one.name == setup.case)
        self.source = self.root / "source"
        shutil.copytree(CASES / setup.case, self.source)
        for file in self.source.rglob("*"):
            if file.is_file() and not file.name.startswith("expected"):
                file.write_text(self._moved(file.read_text()))
        self.told.mkdir()
        self.told.chmod(0o777)
        for folder in setup.folders:
            self.place(folder).mkdir(parents=True, exist_ok=True)
            self.place(folder).chmod(0o777)
        for program in setup.programs:
            self._stand_in(program)
        file = self.source / case.file
        found = convert(case.source, str(file), str(file), HOST, case.instances)
        self.text = found.text

    def _moved(self, text: str) -> str:
        for old, new in self.setup.instead.items():
            text = text.replace(old, new)
        return PATH.sub(lambda found: f"{self.root}{found[0]}", text)

    def place(self, path: str) -> Path:
        """Where something of the source is."""
        if path.startswith("//"):
            return Path(path[1:])
        return self.root / path[1:] if path[:1] == "/" else self.source / path

    def _stand_in(self, program: str) -> None:
        named = "/" in program
        place = self.place(program) if named else self.root / "path" / program
        place.parent.mkdir(parents=True, exist_ok=True)
        body = (Path(__file__).parent / "standin.py").read_text()
        body = body.replace('TOLD = "TOLD"', f'TOLD = "{self.told}"')
        place.write_text(f"#!{PYTHON} -SI\n{body}")
        place.chmod(0o755)

    def facts(self, pid: int) -> dict[str, Any]:
        """What the program with this pid has told."""
        file = self.told / f"{pid}.json"
        wait_until(file.exists)
        found: dict[str, Any] = json.loads(file.read_text())
        return found


@pytest.fixture(params=SETUPS, ids=lambda setup: setup.case)
def machine(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Machine, Daemon]]:
    with contextlib.ExitStack() as ended:
        root = ended.enter_context(tempfile.TemporaryDirectory(prefix="machine-", dir="/tmp"))
        found = Machine(request.param, Path(root))
        monkeypatch.setenv("OURS", "yes")
        monkeypatch.setenv("PATH", f"{root}/path:{os.environ['PATH']}")
        for name, value in found.setup.environ.items():
            monkeypatch.setenv(name, value)
        daemon = Daemon(f"[circus]\njournal = False\n\n{found.text}")
        ended.callback(daemon.stop)
        daemon.folder.chmod(0o755)
        yield found, daemon.wait()


@needs_root
def test_it_does_what_the_source_asks_for(machine: tuple[Machine, Daemon]) -> None:
    made, daemon = machine
    for name, expected in made.setup.expected.items():
        _running(made, daemon, name, dict(expected))
    # starts begin in this order, but none waits for another, so that spawns may overtake each other
    asked = [daemon.call("options", name=name)["options"] for name in made.setup.order]
    priorities = [options["priority"] for options in asked]
    assert priorities == sorted(set(priorities), reverse=True)
    for path, written in made.setup.files.items():
        file = daemon.log if path == "circusd.log" else made.place(path)
        wait_until(partial(_alike, file, written))
    for name, expected in made.setup.expected.items():
        if "signal" in expected:
            pids = daemon.pids(name)
            daemon.call("stop", name=name, waiting=True)
            if not expected.get("shell"):
                told = {text_of(made.told / f"{pid}.signal") for pid in pids}
            else:  # a child of one that is gone
                told = {text_of(file) for file in made.told.glob("*.signal")}
            assert told == {expected["signal"]}


def _alike(file: Path, written: str) -> bool:
    lines = text_of(file).splitlines()
    out, wrong = lines.count("this is output"), lines.count("this is an error")
    return (out, wrong) == (written.count("o"), written.count("e"))


def _running(made: Machine, daemon: Daemon, name: str, expected: dict[str, Any]) -> None:
    if expected.get("count") == 0:
        assert daemon.call("status", name=name)["status"] == "stopped"
        return
    pids = daemon.wait_pids(name, expected.pop("count", 1))
    if expected.pop("shell", False):
        pids = [int(file.stem) for file in _of_shell(made, pids)]
    found = [made.facts(pid) for pid in pids]
    if each := expected.pop("each", None):
        assert sorted(one["argv"][1:] for one in found) == sorted(each)
    for one in found:
        for what, value in expected.items():
            if what != "signal":
                CHECKS[what](made, one, value)


def _of_shell(made: Machine, pids: list[int]) -> list[Path]:
    """What a program that a shell has started, and not become, has told."""

    def found() -> list[Path]:
        files = list(made.told.glob("*.json"))
        return [file for file in files if int(_parent(file.stem)) in pids or int(file.stem) in pids]

    return list(wait_until(found))


def _parent(pid: str) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]


def _argv(made: Machine, told: dict[str, Any], value: list[str]) -> None:
    assert [word.replace(str(made.root), "") for word in told["argv"][1:]] == value


def _cwd(made: Machine, told: dict[str, Any], value: str) -> None:
    assert Path(told["cwd"]) == made.place(value)


def _env(_made: Machine, told: dict[str, Any], value: dict[str, str | None]) -> None:
    assert {name: told["env"].get(name) for name in value} == value


def _uid(_made: Machine, told: dict[str, Any], value: str) -> None:
    assert told["uid"] == pwd.getpwnam(value).pw_uid
    if value == "root":
        return
    groups = {pwd.getpwnam(value).pw_gid, *(one.gr_gid for one in grp.getgrall()
                                             if value in one.gr_mem)}  # fmt: skip
    assert set(told["groups"]) == groups


def _gid(_made: Machine, told: dict[str, Any], value: str) -> None:
    assert told["gid"] == grp.getgrnam(value).gr_gid


def _stderr(_made: Machine, told: dict[str, Any], value: str) -> None:
    assert told["descriptors"]["2"] == value


def _nofile_soft(_made: Machine, told: dict[str, Any], value: int) -> None:
    assert told["nofile"][0] == value


def _third(_made: Machine, told: dict[str, Any], value: bool) -> None:  # noqa: FBT001 as the other checks
    assert told["descriptors"]["3"].startswith("socket:") is value


def _same(what: str) -> Any:
    def check(_made: Machine, told: dict[str, Any], value: object) -> None:
        assert told[what] == value

    return check


CHECKS = {
    "argv": _argv, "cwd": _cwd, "env": _env, "uid": _uid, "gid": _gid, "stderr": _stderr,
    "third": _third, "nofile_soft": _nofile_soft,
    **{what: _same(what) for what in ("umask", "nice", "nofile", "no_new_privileges", "listens")},
}  # fmt: skip
