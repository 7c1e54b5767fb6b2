"""What puts a watcher on many machines, on one: Puppet, Ansible, and Chef as far as without it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.examples.conftest import EXAMPLES
from tests.manage.conftest import machine as machine
from tests.manage.test_ansible import played
from tests.manage.test_chef import read
from tests.manage.test_puppet import CHANGED, NOTHING, applied
from tests.support import wait_until
from tests.systemd.machine import ON_A_MACHINE

if TYPE_CHECKING:
    from tests.systemd.machine import Machine

pytestmark = ON_A_MACHINE

FILE = "/etc/circus/conf.d/documents.ini"
ASK = "python3 -c 'import urllib.request as u; print(u.urlopen(\"http://127.0.0.1:8123/\").status)'"


def text(name: str) -> str:
    return (EXAMPLES / "management" / name).read_text(encoding="utf-8")


def runs(machine: Machine) -> bool:
    """The watcher is active, and as whom it is asked to; what it serves is there."""
    if machine.run(ASK, check=False).stdout.strip() != "200":
        return False
    assert machine.says("circusctl status documents") == "active"
    assert machine.says("stat -c %U /proc/$(circusctl list documents)") == "nobody"
    return True


@pytest.fixture(scope="module")
def file(machine: Machine) -> str:
    """What Puppet has written, on a machine that had nothing of Circus."""
    code, said = applied(machine, text("site.pp"))
    assert code == CHANGED, said
    return machine.says(f"cat {FILE}")


@pytest.mark.usefixtures("file")
def test_puppet(machine: Machine) -> None:
    wait_until(lambda: runs(machine))
    assert applied(machine, text("site.pp"))[0] == NOTHING
    machine.write("/root/site.pp", text("site.pp"))
    lint = "puppet-lint --fail-on-warnings --no-documentation-check"
    assert machine.says(f"{lint} /root/site.pp") == ""


def test_chef(machine: Machine, file: str) -> None:
    """It comes to what Puppet has written."""
    ended = read(machine, text("recipe.rb"))
    assert ended.stderr == ""
    (one,) = [one for one in json.loads(ended.stdout) if one["name"] == FILE and "content" in one]
    assert options(one["content"]) == options(file)


def test_ansible(machine: Machine, file: str) -> None:
    """Nothing is left to do after Puppet, but to write its file anew."""
    machine.run(f"rm {FILE} && circusctl reloadconfig --waiting")
    changed, failed, said = played(machine, text("playbook.yml"))
    assert (changed > 0, failed) == (True, 0), said
    wait_until(lambda: runs(machine))
    assert options(machine.says(f"cat {FILE}")) == options(file)
    assert played(machine, text("playbook.yml"))[:2] == (0, 0)


def options(file: str) -> set[str]:
    """The sections and options of a file, whatever their order and its comments."""
    lines = (re.sub(r"\s*=\s*", " = ", line.strip()) for line in file.splitlines())
    return {line for line in lines if line and not line.startswith("#")}
