"""The Debian packages in a booted machine: installed by apt, upgraded, removed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.deb import roots
from tests.systemd.machine import ON_A_MACHINE, Machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = ON_A_MACHINE

WATCHER = "[watcher:web]\ncmd = sleep 1000\nuid = nobody\n"
INSTALL = "DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends"
PACKAGES = "circus python3-circus"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine that has the packages in /packages, and nothing of Circus installed."""
    files = tmp_path / "files" / "packages"
    files.mkdir(parents=True)
    for package in roots.packages(roots.HERE)[0].glob("*circus_*.deb"):
        shutil.copy(package, files)
    booted = Machine(files.parent, tmp_path / "console")
    yield booted
    booted.stop()


def test_from_nothing_to_nothing(machine: Machine) -> None:
    says = machine.says
    machine.run(f"{INSTALL} /packages/*.deb", timeout=300)
    assert says("systemctl is-active circus.service circus.socket") == "active\nactive"
    assert says("systemctl is-enabled circus.service circus.socket") == "enabled\nenabled"
    assert says("systemctl show -P ActiveState circus@other") == "inactive"
    assert says("stat -c '%A %U %G' /run/circus/control") == "srw-rw---- root circus"
    assert says("systemd-analyze verify --man=no circus.service circus.socket 2>&1") == ""

    machine.write("/etc/circus/conf.d/web.ini", WATCHER)
    machine.run("systemctl reload circus && circusctl wait web --timeout 30")
    assert says("ps -o user= -C sleep") == "nobody"
    assert "web" in says("systemctl status circus; circusctl status")

    before = says("systemctl show -P MainPID circus")
    told = says(f"{INSTALL} --reinstall /packages/*.deb")
    assert told.count("Restarting circusd, and with it every watcher.") == 1
    assert says("systemctl show -P MainPID circus") != before
    assert says("journalctl -u circus | grep -c 'Stopping circus.service'") == "1"
    machine.run("circusctl wait web --timeout 30")
    assert len(says("pgrep -x sleep").split()) == 1

    machine.run(f"apt-get remove -y -q {PACKAGES}")
    assert says("systemctl is-active circus.service circus.socket || true") == "inactive\ninactive"
    assert says("pgrep -x sleep || true") == ""
    assert says("ls /etc/circus/conf.d") == "web.ini"

    machine.run(f"apt-get purge -y -q {PACKAGES}; rm -r /packages")
    assert says("find / -xdev -iname '*circus*'") == ""


@pytest.mark.parametrize("name", ["foreground", "service"])
def test_what_the_package_tests_of_itself(machine: Machine, name: str) -> None:
    machine.run(f"{INSTALL} /packages/*.deb", timeout=300)
    script = roots.TREE / "packaging" / "debian" / "tests" / name
    machine.run("sh", given=script.read_text(encoding="utf-8"))
