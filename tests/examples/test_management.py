"""What puts a watcher on many machines, on one: Puppet, Ansible, and Chef as far as without it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

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


def test_puppet(machine: Machine) -> None:
    code, said = applied(machine, text("site.pp"))
    assert code == CHANGED, said
    wait_until(lambda: runs(machine))
    assert applied(machine, text("site.pp"))[0] == NOTHING
    machine.write("/root/site.pp", text("site.pp"))
    lint = "puppet-lint --fail-on-warnings --no-documentation-check"
    assert machine.says(f"{lint} /root/site.pp") == ""


def test_chef(machine: Machine) -> None:
    """It comes to what Puppet has written."""
    ended = read(machine, text("recipe.rb"))
    assert ended.stderr == ""
    (file,) = [one for one in json.loads(ended.stdout) if one["name"] == FILE and "content" in one]
    assert options(file["content"]) == options(machine.says(f"cat {FILE}"))


def test_ansible(machine: Machine) -> None:
    """Nothing is left to do after Puppet, but to write the file as this one does."""
    before = machine.says(f"cat {FILE}")
    machine.run(f"rm {FILE} && circusctl reloadconfig --waiting")
    changed, failed, said = played(machine, text("playbook.yml"))
    assert (changed > 0, failed) == (True, 0), said
    wait_until(lambda: runs(machine))
    assert options(machine.says(f"cat {FILE}")) == options(before)
    assert played(machine, text("playbook.yml"))[:2] == (0, 0)


def options(file: str) -> set[str]:
    """The sections and options of a file, whatever their order and its comments."""
    lines = (re.sub(r"\s*=\s*", " = ", line.strip()) for line in file.splitlines())
    return {line for line in lines if line and not line.startswith("#")}
