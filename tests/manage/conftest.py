"""Machines that have the tools and the packages of Circus, and nothing of Circus installed."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.deb import roots
from tests.systemd.machine import Machine, root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOOLS = "ansible-core puppet-agent puppet-lint python3-apt ruby"
PROGRAMS = ("gunicorn", "mailer")
"""What the samples run; here they do nothing, for ever."""
PLACES = {
    "puppet": "etc/puppet/code/modules/circus",
    "ansible": "etc/ansible/roles/circus",
    "chef": "root/circus",
}


def system() -> Path:
    """The folder of a Debian with the tools, that nobody may write to; made if there is none."""

    def install(path: Path) -> None:
        copy = roots.Root(root(roots.HERE)).copy(path)
        copy.do(
            f"apt-get update -qq && apt-get install -y -qq --no-install-recommends {TOOLS}"
            " && apt-get clean"
        )

    return roots.kept(f"managed-{roots.HERE}", str(root(roots.HERE)), TOOLS, making=install)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One for each tool."""
    folder = tmp_path_factory.mktemp("machine")
    files = folder / "files"
    for tool, place in PLACES.items():
        shutil.copytree(roots.TREE / "packaging" / tool, files / place)
    for package in roots.packages(roots.HERE)[0].glob("*circus_*.deb"):
        shutil.copy(package, files / "root" / f"{package.name.partition('_')[0]}.deb")
    for name in PROGRAMS:
        program = files / "usr/bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\nexec sleep infinity\n", encoding="ascii")
        program.chmod(0o755)
    booted = Machine(system(), files, folder / "console")
    yield booted
    booted.stop()


@pytest.fixture(scope="session")
def samples() -> dict[str, list[str]]:
    """The samples of the page, by the language that they are in."""
    page = (roots.TREE / "docs" / "configuration-management.md").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for language, sample in re.findall(r"^```(\w+)\n(.+?)^```", page, re.MULTILINE | re.DOTALL):
        found.setdefault(language, []).append(sample)
    return found


class Workers:
    """Who runs on a machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def of(self, name: str) -> set[str]:
        """The pids of a watcher's workers."""
        return set(self._machine.says(f"circusctl list {name}").split(","))

    def everybody(self) -> set[str]:
        """The pids of all that run what the samples run."""
        return set(self._machine.says("pgrep -x sleep").split())

    def daemon(self) -> str:
        """Its pid."""
        return self._machine.says("systemctl show -P MainPID circus")


@pytest.fixture
def workers(machine: Machine) -> Workers:
    """Who runs on the machine."""
    return Workers(machine)
