"""The Debian packages in a booted machine: installed by apt, used, upgraded, removed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.deb import roots
from tests.support import wait_until
from tests.systemd.machine import ON_A_MACHINE, Machine, root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = ON_A_MACHINE

WATCHER = """
[watcher:web]
cmd = sh -c 'echo up; exec sleep 1000'
numprocesses = 2
uid = nobody
"""
FILE = "/etc/circus/conf.d/web.ini"
INSTALL = (
    "DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends"
    " -o Dpkg::Options::=--force-confold"
)
PACKAGES = "circus python3-circus"
NEWER = """
cd /packages
for package in *.deb; do
    dpkg-deb -R $package new
    sed -i "s/$(dpkg-deb -f $package Version)/9/" new/DEBIAN/control
    test ! -e new/etc/circus/circus.ini || echo '# newer' >>new/etc/circus/circus.ini
    dpkg-deb -b new newer-$package
    rm -r new $package
done
"""
"""Makes of the packages there such of a later version, with another default configuration."""


def booted(suite: str, folder: Path) -> Iterator[Machine]:
    """A machine that has the packages in /packages, and nothing of Circus installed."""
    files = folder / "files" / "packages"
    files.mkdir(parents=True)
    for package in roots.packages(suite)[0].glob("*circus_*.deb"):
        shutil.copy(package, files)
    machine = Machine(root(suite), files.parent, folder / "console")
    yield machine
    machine.stop()


@pytest.fixture
def machine(suite: str, tmp_path: Path) -> Iterator[Machine]:
    """One for one test."""
    yield from booted(suite, tmp_path)


@pytest.fixture(scope="module")
def installed(suite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One with the packages installed and a watcher, for all tests that leave it so."""
    for machine in booted(suite, tmp_path_factory.mktemp("installed")):
        install(machine)
        yield machine


def install(machine: Machine) -> str:
    """With a watcher that runs; what apt said."""
    said = machine.says(f"{INSTALL} /packages/*.deb 2>&1")
    machine.write(FILE, WATCHER)
    machine.run("systemctl reload circus && circusctl wait web --timeout 30")
    return said


def main_pid(machine: Machine) -> str:
    return machine.says("systemctl show -P MainPID circus")


def workers(machine: Machine) -> list[str]:
    return machine.says("circusctl list web").split(",")


def test_t60_what_is_installed_runs_and_is_open_to_nobody(installed: Machine) -> None:
    says = installed.says
    assert says("systemctl is-active circus.service circus.socket") == "active\nactive"
    assert says("systemctl is-enabled circus.service circus.socket") == "enabled\nenabled"
    assert says("systemctl show -P ActiveState circus@other") == "inactive"
    assert says("stat -c '%A %U %G' /run/circus/control") == "srw-rw---- root circus"
    assert says("systemd-analyze verify --man=no circus.service circus.socket 2>&1") == ""
    assert says("dpkg -V circus python3-circus") == ""


def test_its_status_is_readable_and_true(installed: Machine) -> None:
    shown = installed.says("systemctl status circus.service")
    main, two = main_pid(installed), workers(installed)
    for line in (
        "/lib/systemd/system/circus.service; enabled; preset: enabled)",
        "Active: active (running) since",
        "TriggeredBy: ● circus.socket",
        "Docs: man:circus.service(8)",
        f"Main PID: {main} (circusd)",
        'Status: "1 watcher active, 2 workers"',
        f"─{main} /usr/bin/python3 ",
        *(f"─{pid} sleep 1000" for pid in two),
    ):
        assert line in shown, shown
    assert installed.says("ps -o user= -C sleep").split() == ["nobody", "nobody"]


def test_what_a_worker_wrote_is_found_in_every_way(installed: Machine) -> None:
    worker = workers(installed)[0]
    for way in ("-u circus", "-t web", "CIRCUS_WATCHER=web", f"_PID={worker}"):
        assert "up" in installed.says(f"journalctl -q -o cat {way}").splitlines()


def test_who_may_use_circusctl(installed: Machine) -> None:
    installed.run("useradd --groups circus ann; useradd bob")
    assert installed.says("runuser -u ann -- circusctl status") == "web: active"
    assert installed.says("runuser -u ann -- circusctl restart web --waiting") == "ok"
    denied = installed.run("runuser -u ann -- circusctl rm web", check=False)
    assert denied.returncode == 3
    assert "admin" in denied.stderr
    refused = installed.run("runuser -u bob -- circusctl status", check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.strip() == (
        "Permission denied on ipc:///run/circus/control; root and members of the group circus may "
        "connect: 'adduser bob circus' makes one, from the next login on."
    )
    assert installed.says("circusctl status") == "web: active"


def test_a_reload_follows_the_files_and_refuses_broken_ones(installed: Machine) -> None:
    main, two = main_pid(installed), workers(installed)
    installed.write(FILE, WATCHER.replace("= 2", "= many"))
    assert installed.run("systemctl reload circus", check=False).returncode == 1
    assert f"{FILE}:4: numprocesses: 'many'" in installed.says("journalctl -u circus -n 20 -o cat")
    assert installed.says("systemctl is-active circus") == "active"
    assert (main_pid(installed), workers(installed)) == (main, two)
    installed.write(FILE, WATCHER.replace("= 2", "= 3"))
    installed.run("systemctl reload circus")
    assert len(workers(installed)) == 3
    installed.write(FILE, WATCHER)
    installed.run("systemctl reload circus")
    assert main_pid(installed) == main
    assert len(workers(installed)) == 2


def test_a_restart_brings_new_ones(installed: Machine) -> None:
    main, two = main_pid(installed), workers(installed)
    installed.run("systemctl restart circus")
    assert main_pid(installed) != main
    assert not set(workers(installed)) & set(two)


def test_t60_it_is_there_again_after_a_reboot(installed: Machine) -> None:
    installed.reboot()
    assert installed.says("systemctl show -P StatusText circus") == "1 watcher active, 2 workers"
    installed.run("circusctl wait web --timeout 30")
    assert "up" in installed.says("journalctl -b -1 -t web -o cat").splitlines()
    assert "circus.service" not in installed.says("systemctl --failed")


def test_an_upgrade_restarts_once_and_keeps_what_was_edited(machine: Machine) -> None:
    install(machine)
    says = machine.says
    machine.run("echo '# mine' >>/etc/circus/circus.ini")
    machine.write("/etc/circus/more.ini", "[circus]\n")
    machine.run("systemctl start circus@more")
    before, two = main_pid(machine), workers(machine)
    socket = "stat -c %i /run/circus/control; systemctl show -P InvocationID circus.socket"
    opened = says(socket)
    machine.run(NEWER)

    said = says(f"{INSTALL} /packages/*.deb 2>&1")
    assert [line for line in said.splitlines() if line.startswith("Restarting")] == [
        "Restarting circus, and with it every watcher.",
        "Restarting circus@more, and with it every watcher.",
    ]
    assert says("dpkg-query -f '${Version}' -W circus") == "9"
    assert main_pid(machine) != before
    assert not set(workers(machine)) & set(two)
    assert says("journalctl -u circus -o cat | grep -c '^Stopping circus.service'") == "1"
    assert says(socket) == opened
    assert says("tail -1 /etc/circus/circus.ini") == "# mine"
    assert says("tail -1 /etc/circus/circus.ini.dpkg-dist") == "# newer"


def test_an_upgrade_leaves_a_daemon_alone_that_would_not_start(machine: Machine) -> None:
    install(machine)
    main, two = main_pid(machine), workers(machine)
    machine.write(FILE, WATCHER.replace("= 2", "= many"))
    said = machine.says(f"{INSTALL} --reinstall /packages/*.deb 2>&1")
    assert f"{FILE}:4: numprocesses: 'many' is not a whole number" in said
    assert "Not restarting circus, which goes on as it is: /etc/circus/circus.ini " in said
    assert (main_pid(machine), workers(machine)) == (main, two)


def test_from_nothing_to_nothing(machine: Machine) -> None:
    says = machine.says
    assert "Restarting" not in install(machine)
    machine.write("/etc/circus/more.ini", WATCHER)
    machine.run("systemctl start circus@more")
    machine.run(f"apt-get remove -y -q {PACKAGES}")
    units = "circus.service circus.socket circus@more.service"
    assert says(f"systemctl is-active {units} || true").split() == ["inactive"] * 3
    assert says("pgrep -x sleep || true") == ""
    assert says("ls /etc/circus/conf.d") == "web.ini"

    machine.run(f"apt-get purge -y -q {PACKAGES}; rm -r /packages")
    assert says("find / -xdev -iname '*circus*'") == ""
    assert says("systemctl --failed --plain --no-legend") == ""


@pytest.mark.parametrize("name", ["foreground", "service"])
def test_what_the_package_tests_of_itself(installed: Machine, name: str) -> None:
    script = roots.TREE / "packaging" / "debian" / "tests" / name
    installed.run("sh", given=script.read_text(encoding="utf-8"))
    wait_until(lambda: len(workers(installed)) == 2)
