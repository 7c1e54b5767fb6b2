"""The package of the web console in a booted machine, beside the one of circusd."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.deb import roots
from tests.support import listens, only_if, wait_until
from tests.systemd.machine import ON_A_MACHINE, Machine, root
from tests.systemd.test_package import INSTALL, NEWER

if TYPE_CHECKING:
    from collections.abc import Iterator


# the machine has the network of this one
pytestmark = [*ON_A_MACHINE, only_if(not listens(8080), "something here listens at port 8080")]

UNIT = "circus-console.service"
SOCKET = "circus-console.socket"
JAR = "--cookie /root/jar --cookie-jar /root/jar"
CURL = f"curl -s --max-time 30 -H 'Accept: text/html,*/*;q=0.8' {JAR}"
URL = "http://localhost:8080"
FILE = "/etc/circus/conf.d/web.ini"
WATCHER = """
[watcher:web]
cmd = sh -c 'echo to the journal; exec sleep 1000'
[watcher:filed]
cmd = sh -c 'echo to a file; exec sleep 1000'
stdout_stream.filename = /var/log/circus/filed.log
"""


@pytest.fixture(scope="module")
def machine(suite: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """One with all packages, a watcher, and a browser of a kind. It shares our network."""
    folder = tmp_path_factory.mktemp("console")
    files = folder / "files" / "packages"
    files.mkdir(parents=True)
    for package in roots.packages(suite)[0].glob("*.deb"):
        if "dbgsym" not in package.name:
            shutil.copy(package, files)
    booted = Machine(root(suite), files.parent, folder / "said")
    try:
        booted.run("apt-get update -qq && apt-get install -y -q curl iproute2", timeout=300)
        booted.write("/etc/hosts", "127.0.0.1 localhost\n")
        booted.run(f"{INSTALL} /packages/*.deb", timeout=300)
        booted.write(FILE, WATCHER)
        booted.run("systemctl reload circus && circusctl wait web --timeout 30")
        yield booted
    finally:
        booted.stop()


def main_pid(machine: Machine) -> str:
    return machine.says(f"systemctl show -P MainPID {UNIT}")


def login(machine: Machine) -> None:
    """By a link, as a person does, but for the eyes."""
    machine.run("rm -f /root/jar")
    link = machine.says("circusctl console-login")
    assert link.startswith(f"{URL}/login?ticket=")
    page = machine.says(f"{CURL} --fail '{link}'")
    assert send(machine, page, "/login", f"ticket={link.partition('=')[2]}") == "303"


def send(machine: Machine, page: str, path: str, *fields: str) -> str:
    """The status for a form of that page."""
    (token,) = re.findall(r'<meta name="csrf" content="(\w+)">', page)
    data = " ".join(f"--data '{one}'" for one in (f"csrf={token}", *fields))
    how = f"-H 'Origin: {URL}' -H 'Sec-Fetch-Site: same-origin' -o /dev/null -w '%{{http_code}}'"
    return machine.says(f"{CURL} {how} {data} {URL}{path}")


def shown(machine: Machine, path: str = "/") -> str:
    return machine.says(f"{CURL} --fail {URL}{path}")


def test_it_starts_at_the_first_request_which_gets_in_by_a_link(machine: Machine) -> None:
    says = machine.says
    assert says("systemctl is-enabled circus-console.socket") == "enabled"
    assert says(f"systemctl is-active circus-console.socket {UNIT} || true") == "active\ninactive"
    login(machine)
    assert says(f"systemctl is-active {UNIT}") == "active"
    wait_until(lambda: ">web<" in shown(machine))
    assert send(machine, shown(machine), "/watchers/web/stop") == "303"
    wait_until(lambda: says("circusctl status web") == "stopped")
    assert send(machine, shown(machine), "/watchers/web/start") == "303"
    wait_until(lambda: says("circusctl status web") == "active")
    record = says("journalctl -q -o cat -t circushttpd")
    assert re.search(r"Console who=root from=127.0.0.1 verb=stop target=web .*outcome=\w", record)


def test_it_holds_no_right_that_it_does_not_need(machine: Machine) -> None:
    login(machine)
    says, pid = machine.says, main_pid(machine)
    status = says(f"cat /proc/{pid}/status")
    assert says(f"ps -o user= -p {pid}") == "circus-console"
    assert "NoNewPrivs:\t1" in status
    for which in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert re.search(rf"^{which}:\t0+$", status, re.MULTILINE)
    groups = says(f"sed -n 's/^Groups://p' /proc/{pid}/status | xargs getent group | cut -d: -f1")
    assert {"adm", "circus", "systemd-journal"} <= set(groups.split())
    listening = says("ss -H -l -t -n -p | grep -w -e circushttpd -e ':8080' | awk '{print $4}'")
    assert listening == "127.0.0.1:8080"
    assert says("stat -c '%A %U %G' /var/lib/circus-console") == (
        "drwx------ circus-console circus-console"
    )
    # not every container lets systemd give it one of its own, so it is only asked for
    assert says(f"systemctl show -P PrivateNetwork {UNIT}") == "yes"


def test_it_may_read_what_workers_write(machine: Machine) -> None:
    login(machine)
    wait_until(lambda: "to the journal" in shown(machine, "/api/v1/watchers/web/logs"))
    wait_until(lambda: "to a file" in shown(machine, "/api/v1/watchers/filed/logs"))


def test_what_the_administrator_did_not_allow_is_refused(machine: Machine) -> None:
    """In the group circus it may operate: what takes more is refused by circusd."""
    login(machine)
    asked = machine.says("runuser -u circus-console -- circusctl rm web 2>&1 || true")
    assert asked.startswith("error: denied: ")
    assert machine.says("circusctl status web") == "active"


def of_the_page(beginning: str) -> str:
    """The block of docs/web-console.md that begins so."""
    page = (roots.TREE / "docs/web-console.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```ini\n({re.escape(beginning)}.*?)^```", page, re.M | re.S)
    return str(found)


def test_a_line_lets_it_do_everything(machine: Machine) -> None:
    file = "/etc/circus/conf.d/page.ini"
    machine.write(file, of_the_page("[circus]\nadmin_users"))
    machine.run("systemctl reload circus")
    said = machine.says("runuser -u circus-console -- circusctl rm web --dry-run")
    assert said.startswith("stop  watcher web")
    machine.run(f"rm {file}; systemctl reload circus")


def test_it_outlives_circusd_and_a_session_outlives_it(machine: Machine) -> None:
    login(machine)
    pid = main_pid(machine)
    machine.run("systemctl restart circus && circusctl wait web --timeout 30")
    wait_until(lambda: '"live":true' in shown(machine, "/api/v1/state").replace(" ", ""))
    assert main_pid(machine) == pid
    machine.run(f"systemctl restart {UNIT}")
    assert main_pid(machine) != pid
    wait_until(lambda: ">web<" in shown(machine))
    machine.run(f"systemctl kill --signal=KILL {UNIT}")
    wait_until(lambda: ">web<" in shown(machine))


def test_systemd_has_nothing_to_say_against_it(machine: Machine) -> None:
    analyze = "systemd-analyze verify --man=no"
    assert machine.says(f"{analyze} {UNIT} circus-console.socket 2>&1") == ""


def test_the_page_has_its_score(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    """Also in the other Debian, when the tests run there."""
    analyze = f"systemd-analyze security --no-pager --offline=true {UNIT}"
    score = machine.says(f"{analyze} | tail -1").split(": ")[1].split()[0]
    with capsys.disabled():
        print(f"\n{UNIT}: {score}")  # noqa: T201 to be seen in every run
    version = " ".join(machine.says("systemctl --version").split()[:2])
    page = (roots.TREE / "docs/systemd.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in row.split("|")] for row in page.splitlines()]
    (titles,) = (row for row in rows if version in row)
    (told,) = (row for row in rows if f"`{UNIT}`" in row)
    assert dict(zip(titles, told, strict=True))[version] == score


def test_its_socket_is_for_nginx_alone_as_the_page_says(machine: Machine) -> None:
    folder = "/run/systemd/system/circus-console.socket.d"
    again = f"systemctl daemon-reload; systemctl stop {UNIT}; systemctl restart {SOCKET}"
    machine.write(f"{folder}/page.conf", of_the_page("[Socket]"))
    machine.run(again)
    socket = "/run/circus-console/socket"
    assert machine.says(f"stat -c '%A %G' {socket}") == "srw-rw---- www-data"
    assert "ok" in machine.says(f"curl -s --fail --unix-socket {socket} http://localhost/healthz")
    machine.run(f"rm -r {folder}; {again}")


def test_circusd_runs_one_itself_as_the_same_user(machine: Machine) -> None:
    machine.run("systemctl stop circus-console.socket circus-console.service")
    machine.run(r"sed -i '/^\[circus\]/a httpd = True' /etc/circus/circus.ini")
    machine.run("systemctl restart circus")
    machine.run("circusctl wait circushttpd --timeout 30")
    login(machine)
    wait_until(lambda: ">web<" in shown(machine))
    pid = machine.says("circusctl list circushttpd")
    assert machine.says(f"ps -o user= -p {pid}") == "circus-console"
    assert "WARNING" not in machine.says("journalctl -q -o cat -u circus -t circusd")
    machine.run("sed -i '/^httpd = True/d' /etc/circus/circus.ini")
    machine.run("systemctl restart circus && systemctl start circus-console.socket")
    machine.run("circusctl wait web --timeout 30")


def test_an_upgrade_starts_it_anew_and_a_purge_leaves_nothing(machine: Machine) -> None:
    login(machine)
    pid = main_pid(machine)
    machine.run(NEWER, timeout=300)
    machine.run(f"{INSTALL} /packages/newer-*.deb", timeout=300)
    assert main_pid(machine) not in (pid, "0")
    wait_until(lambda: ">web<" in shown(machine))
    machine.run("apt-get remove -y -q circus-console", timeout=300)
    gone = machine.says(f"systemctl is-active {UNIT} circus-console.socket || true")
    assert gone == "inactive\ninactive"
    assert machine.says("circusctl status web") == "active"
    machine.run("test -e /etc/circus/console.ini")
    machine.run("apt-get purge -y -q circus-console", timeout=300)
    left = "find / -xdev -name '*circus-console*' -o -xdev -name 'console.ini*' -path '/etc/*'"
    others = "-e ^/packages -e ^/proc -e ^/sys -e ^/usr/share/doc/circus/"
    assert machine.says(f"{left} | grep -v {others} || true").split() == []
