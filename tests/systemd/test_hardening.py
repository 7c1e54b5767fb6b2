"""What the units keep their workers from, and that circusd does all of its work nevertheless."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.deb import roots
from tests.support import wait_until
from tests.systemd.machine import ON_A_MACHINE

if TYPE_CHECKING:
    from tests.systemd.conftest import Unit

pytestmark = ON_A_MACHINE

HARDENED = (roots.TREE / "packaging/systemd/examples/hardened.conf").read_text()
UNITS = ["circus.service", "circus@web.service", "circus.socket", "--user circus.service"]
EVERYTHING = """
[watcher:web]
cmd = sh -c 'echo up as $(id -un); exec sleep 1000'
uid = nobody
sockets = web
rlimit_nofile = 100
nice = -1

[socket:web]
host = 127.0.0.1
port = 0

[watcher:filed]
cmd = sh -c 'echo filed; exec sleep 1000'
stdout_stream.filename = /var/log/circus/filed.log
"""


@pytest.mark.parametrize("name", UNITS)
def test_systemd_has_nothing_to_say_against_the_units(unit: Unit, name: str) -> None:
    analyze = "XDG_RUNTIME_DIR=/run systemd-analyze verify --man=no"
    verdict = unit.run(f"{analyze} {name}", check=False)
    assert (verdict.returncode, verdict.stdout, verdict.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("what", "unit_name", "drop_in"),
    [
        ("circus.service", "circus.service", ""),
        ("circus@NAME.service", "circus@web.service", ""),
        ("circus.service with hardened.conf", "circus.service", HARDENED),
    ],
)
def test_the_page_has_the_score(
    unit: Unit, capsys: pytest.CaptureFixture[str], what: str, unit_name: str, drop_in: str
) -> None:
    unit.adjust(drop_in)
    verdict = unit.says(f"systemd-analyze security --no-pager --offline=true {unit_name} | tail -1")
    score = verdict.split(": ")[1].split()[0]
    with capsys.disabled():
        print(f"\n{what}: {score}")  # noqa: T201 to be seen in every run
    page = (roots.TREE / "docs/systemd.md").read_text(encoding="utf-8").replace("`", "")
    rows = [[cell.strip() for cell in row.split("|")] for row in page.splitlines()]
    version = " ".join(unit.says("systemctl --version").split()[:2])
    (titles,) = (row for row in rows if version in row)
    (told,) = (row for row in rows if what in row)
    assert dict(zip(titles, told, strict=True))[version] == score


def test_all_works_with_the_hardened_profile(unit: Unit) -> None:
    unit.adjust(HARDENED)
    unit.start(EVERYTHING)
    worker = unit.says("circusctl list web")
    status = unit.says(f"cat /proc/{worker}/status")
    assert "NoNewPrivs:\t1" in status
    assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)
    assert unit.says(f"ps -o ni= -p {worker}") == "-1"
    assert unit.run(f"grep 'Max open files *100 ' /proc/{worker}/limits").returncode == 0
    assert "web" in unit.says("circusctl listsockets")
    wait_until(lambda: unit.says(f"journalctl -q -o cat _PID={worker} -t web") == "up as nobody")
    wait_until(lambda: unit.says("cat /var/log/circus/filed.log") == "filed")
    unit.write(f"{EVERYTHING}[watcher:more]\ncmd = sleep 1000\n")
    unit.run("systemctl reload circus")
    wait_until(lambda: unit.status() == "3 watchers active, 3 workers")
    unit.run("systemctl stop circus")
    assert unit.pids("sleep") == set()
    assert unit.show("Result") == "success"
    assert "WARNING" not in unit.journal()
