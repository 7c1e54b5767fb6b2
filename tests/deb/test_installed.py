"""The packages installed by apt in a plain Debian, which no systemd runs in."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from circus import __version__
from tests import shells
from tests.deb import roots
from tests.deb.roots import TREE, Root
from tests.support import needs_root

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.timeout(900), needs_root]  # the first test of a session installs

STARTED = (
    "circusd /etc/circus/circus.ini 2>/dev/null & until circusctl status 2>/dev/null; do :; done"
)
"""Starts what is configured, and goes on once it is there; it ends with the shell."""


def test_the_default_configuration_is_right(installed: Root) -> None:
    told = installed.run("circusd --strict --check /etc/circus/circus.ini")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == "/etc/circus/circus.ini: ok, 0 watchers\n"


@pytest.mark.parametrize("program", shells.PROGRAMS)
def test_every_program_tells_its_version(installed: Root, program: str) -> None:
    assert installed.do(f"{program} --version").split()[-1] == __version__


def test_circusctl_tells_its_name_too(installed: Root) -> None:
    assert installed.do("circusctl --version") == f"circusctl {__version__}\n"


def test_circusctl_loads_only_what_it_needs(installed: Root) -> None:
    told = installed.run("python3 -X importtime /usr/bin/circusctl --version").stderr
    assert "circus.ctl.arguments" in told
    assert not re.search(r"importlib[.]metadata|pkg_resources|zmq|asyncio", told)


@pytest.mark.parametrize("shell", shells.SHELLS)
@pytest.mark.parametrize(("line", "rest"), shells.STARTS)
def test_the_tab_key(installed: Root, shell: str, line: str, rest: str) -> None:
    first = {"bash": shells.BASH_COMPLETION, "zsh": shells.COMPINIT.format(dump="/tmp/dump")}
    inside = installed.way_in()
    with shells.person(
        shell, first[shell], folder=TREE, environ=roots.ENVIRONMENT, inside=inside
    ) as terminal:
        shells.tab_adds(terminal, line, rest)


def test_a_worker_runs_under_a_user_of_its_own(installed: Root) -> None:
    test = installed.path / "tmp" / "foreground"
    shutil.copy(TREE / "packaging" / "debian" / "tests" / "foreground", test)
    installed.do("sh /tmp/foreground")
    test.unlink()


def test_the_default_opens_no_socket_of_the_network(installed: Root) -> None:
    tables = "for kind in tcp tcp6 udp udp6 raw raw6; do tail -n +2 /proc/net/$kind; done"
    told = installed.do(f"{STARTED} >/dev/null; {tables}", network=False)
    assert told.strip() == ""


def test_nothing_is_left_for_the_world_to_write(installed: Root) -> None:
    told = installed.do(f"{STARTED} >/dev/null; find /etc /run /usr /var ! -type l -perm -o+w")
    assert sorted(told.split()) == ["/run/lock", "/var/tmp"]  # which every Debian has


def test_members_of_the_group_may_operate_and_others_are_told(installed: Root) -> None:
    watcher = installed.path / "etc/circus/conf.d/one.ini"
    watcher.write_text("[watcher:one]\ncmd = sleep infinity\n", encoding="utf-8")
    nobody = "setpriv --reuid=65534 --regid=65534"
    member = f"{nobody} --groups=$(getent group circus | cut -d: -f3)"
    stranger = f"{nobody} --clear-groups"
    told = installed.run(
        f"{STARTED} >/dev/null 2>&1; {member} circusctl stop one --waiting; "
        f"{stranger} circusctl start one"
    )
    watcher.unlink()
    assert told.stdout == "ok\n"
    assert told.stderr.startswith("Permission denied on ipc:///run/circus/control")
    assert told.returncode == 1


def test_what_was_edited_is_kept_when_it_is_installed_again(installed: Root) -> None:
    file = installed.path / "etc/circus/circus.ini"
    before = file.read_bytes()
    edited = before + b"# mine\n"
    file.write_bytes(edited)
    installed.do("apt-get install -y -qq --reinstall --no-install-recommends /tmp/*.deb")
    after = file.read_bytes()
    file.write_bytes(before)
    assert after == edited


def test_an_upgrade_goes_well_where_systemd_does_not_answer(installed: Root) -> None:
    ended = installed.run(
        "mkdir -p /run/systemd/system; systemctl list-units && echo it answers;"
        "/var/lib/dpkg/info/circus.postinst configure 0; status=$?;"
        "rmdir /run/systemd/system; exit $status"
    )
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr


def test_removal_keeps_the_configuration_and_purge_nothing(installed: Root, tmp_path: Path) -> None:
    root = installed.copy(tmp_path / "root")
    mine = root.path / "etc/circus/conf.d/mine.ini"
    mine.write_text("# mine\n", encoding="utf-8")
    root.do(f"{STARTED}; mkdir -p /var/log/circus /var/lib/circus-console; rm /tmp/*")
    (root.path / "var/lib/circus-console/key").write_text("secret", encoding="utf-8")
    root.do("apt-get remove -y -qq circus circus-console python3-circus")
    assert root.run("command -v circusd circusctl circushttpd").stdout == ""
    assert mine.exists()
    root.do("apt-get purge -y -qq circus circus-console python3-circus")
    left = [str(path.relative_to(root.path)) for path in root.path.rglob("*[cC]ircus*")]
    shutil.rmtree(root.path)
    assert left == []
