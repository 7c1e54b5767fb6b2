"""A booted machine for all tests, a service for each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import wait_until
from tests.systemd.machine import TREE, Machine, System, root, staged

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = "/etc/circus/circus.ini"


class Unit:
    """circus.service on a machine, with the configuration of one test."""

    def __init__(self, machine: System) -> None:
        self.machine = machine
        self.says = machine.says
        self.run = machine.run
        # the journal is one for all tests (and after a cursor, journalctl skips one that matches)
        self._since = machine.says("date +@%s.%6N")

    def write(self, text: str) -> None:
        """Its configuration from now on."""
        self.machine.write(CONFIG, text)

    def start(self, text: str) -> None:
        """Write that and start it; AssertionError when that fails."""
        self.write(text)
        self.run("systemctl start circus")

    def adjust(self, text: str) -> None:
        """Other options for the unit, for this test."""
        self.machine.write("/run/systemd/system/circus.service.d/test.conf", text)
        self.run("systemctl daemon-reload")

    def show(self, name: str) -> str:
        """A property as systemd has it."""
        return self.says(f"systemctl show -P {name} circus")

    def status(self) -> str:
        """The line that circusd tells of itself."""
        return self.show("StatusText")

    def pids(self, name: str) -> set[str]:
        """Of the processes there that are called so."""
        return set(self.run(f"pgrep -x {name}", check=False).stdout.split())

    def journal(self, only: str = "") -> str:
        """What the unit wrote, and what systemd wrote of it, since the test began."""
        self.run("journalctl --sync")  # what was written is there when this returns
        return self._journal("cat", only)

    def messages(self, *matches: str) -> list[str]:
        """The lines of its records that match, since the test began."""
        return self._journal("cat", *matches).splitlines()

    def records(self, *matches: str) -> list[dict[str, Any]]:
        """Those records with all their fields."""
        return [json.loads(line) for line in self._journal("json", *matches).splitlines()]

    def _journal(self, form: str, *matches: str) -> str:
        how = f"journalctl -q --all -o {form} -u circus --since {self._since}"
        return self.says(f"{how} {' '.join(matches)}")

    def wait_records(self, count: int, *matches: str) -> list[dict[str, Any]]:
        """Those, once there are so many."""
        found: list[dict[str, Any]] = wait_until(
            lambda: got if len(got := self.records(*matches)) >= count else None, within=60
        )
        assert len(found) == count
        return found

    def loginctl(self, command: str) -> None:
        """From within a unit, which our shells are not: logind wants to know who asks."""
        self.run(f"systemd-run --quiet --wait loginctl {command}")

    def end(self) -> None:
        """Stop it and leave nothing of the test; AssertionError when something was left."""
        self.run("systemctl stop circus; systemctl reset-failed", check=False)
        self.run("rm -rf /run/systemd/system/circus.service.d /etc/circus; systemctl daemon-reload")
        wait_until(lambda: not self.leftovers())
        assert "Traceback" not in self.journal()

    def leftovers(self) -> str:
        """What is left below the unit's control group."""
        return self.run(f"find {TREE} -name cgroup.procs -exec cat {{}} +", check=False).stdout


@pytest.fixture(scope="session")
def machine(suite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with Circus installed, from the working tree."""
    folder: Path = tmp_path_factory.mktemp("machine")
    booted = Machine(root(suite), staged(folder / "files"), folder / "console")
    prepared(booted)
    yield booted
    booted.stop()


def prepared(machine: System) -> None:
    """What the scripts of the package would do after the files are there."""
    machine.run("systemd-sysusers && systemd-tmpfiles --create circus.conf")
    machine.run("python3 -m compileall -q /usr/lib/python3/dist-packages/circus")
    machine.run("systemctl daemon-reload")


@pytest.fixture
def unit(machine: System) -> Iterator[Unit]:
    """circus.service, stopped; it is again after the test, and nothing of it is left."""
    service = Unit(machine)
    yield service
    service.end()
