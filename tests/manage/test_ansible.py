"""The Ansible role, played in a booted machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.systemd.machine import ON_A_MACHINE

if TYPE_CHECKING:
    from tests.manage.conftest import Workers
    from tests.systemd.machine import Machine

pytestmark = ON_A_MACHINE


def played(machine: Machine, play: str) -> tuple[int, int, str]:
    """How many tasks changed something and how many failed, and what was said."""
    machine.write("/root/play.yml", play)
    said = machine.run(
        "ANSIBLE_PIPELINING=1 ansible-playbook -i localhost, -c local /root/play.yml",
        check=False,
        timeout=300,
    ).stdout
    counts = re.search(r"changed=(\d+) .* failed=(\d+)", said)
    assert counts is not None, said
    return int(counts[1]), int(counts[2]), said


def test_what_the_page_shows_converges_and_goes_on(
    machine: Machine, samples: dict[str, list[str]], workers: Workers
) -> None:
    sample = samples["yaml"][1]
    changed, failed, said = played(machine, sample)
    assert (changed > 0, failed) == (True, 0), said
    daemon, mailer, web = workers.daemon(), workers.of("mailer"), workers.of("web")
    assert (len(mailer), len(web)) == (1, 2)

    assert played(machine, sample)[:2] == (0, 0)

    file = machine.says("cat /etc/circus/conf.d/web.ini")
    changed, failed, said = played(machine, sample.replace("sockets: web", "sockets: wep"))
    assert (changed, failed) == (0, 1)
    assert "sockets: nobody declares [socket:wep]" in said
    assert machine.says("cat /etc/circus/conf.d/web.ini") == file

    edited, _, _ = sample.replace("--workers 1", "--workers 3").partition("        mailer:")
    changed, failed, said = played(machine, edited)
    assert (changed, failed) == (3, 0), said  # a file written, one removed, a reload
    assert machine.says("ls /etc/circus/conf.d") == "socket-web.ini\nweb.ini"
    assert not workers.of("web") & web
    assert workers.everybody() == workers.of("web")
    assert workers.daemon() == daemon
