"""The Puppet module, applied by Puppet in a booted machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.systemd.machine import ON_A_MACHINE

if TYPE_CHECKING:
    from tests.manage.conftest import Workers
    from tests.systemd.machine import Machine

pytestmark = ON_A_MACHINE

MODULE = "/etc/puppet/code/modules/circus"
NOTHING, CHANGED = 0, 2
FAILED = (4, 6)
"""How `puppet apply --detailed-exitcodes` ends."""
HIERA = """version: 5
hierarchy:
  - {name: all, datadir: /root, path: circus.yaml}
"""


def applied(machine: Machine, manifest: str) -> tuple[int, str]:
    """How Puppet ended, and what it said."""
    ended = machine.run(
        "puppet apply --detailed-exitcodes --color=false", check=False, given=manifest, timeout=300
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_nothing_is_wrong_with_its_style(machine: Machine) -> None:
    machine.run(f"puppet parser validate {MODULE}/manifests {MODULE}/types")
    machine.run("puppet epp validate circus/file.ini.epp")
    readme = machine.says(f"cat {MODULE}/README.md")
    machine.run("puppet parser validate", given=readme.split("```")[1].removeprefix("puppet"))
    assert machine.says(f"puppet-lint --relative --fail-on-warnings {MODULE}") == ""


def test_what_the_page_shows_converges_and_goes_on(
    machine: Machine, samples: dict[str, list[str]], workers: Workers
) -> None:
    sample = samples["puppet"][0]
    code, said = applied(machine, sample)
    assert code == CHANGED, said
    assert "secret" not in said
    assert machine.says("systemctl is-enabled circus") == "enabled"
    daemon, mailer, web = workers.daemon(), workers.of("mailer"), workers.of("web")
    assert (len(mailer), len(web)) == (1, 2)

    assert applied(machine, sample)[0] == NOTHING
    machine.write("/etc/puppet/hiera.yaml", HIERA)
    machine.write("/root/circus.yaml", samples["yaml"][0])
    assert applied(machine, "include circus")[0] == NOTHING
    machine.run("rm /root/circus.yaml")

    edited = sample.replace("--workers 1", "--workers 3")
    assert applied(machine, edited)[0] == CHANGED
    assert not workers.of("web") & web
    assert workers.of("mailer") == mailer

    web, file = workers.of("web"), machine.says("cat /etc/circus/conf.d/web.ini")
    more = edited.replace("circus::watcher { 'mailer'", "circus::watcher { 'more'")
    code, said = applied(machine, more.replace("'sockets' => 'web'", "'sockets' => 'wep'"))
    assert code in FAILED
    assert "/etc/circus/conf.d/web.ini:6: sockets: nobody declares [socket:wep]" in said
    assert machine.says("cat /etc/circus/conf.d/web.ini") == file
    assert workers.everybody() == web | mailer

    assert applied(machine, more)[0] == CHANGED  # what the other run wrote and removed counts now
    assert machine.says("ls /etc/circus/conf.d") == "more.ini\nsocket-web.ini\nweb.ini"
    assert workers.everybody() == web | workers.of("more")
    assert not workers.everybody() & mailer
    assert workers.daemon() == daemon


def test_a_value_that_a_file_cannot_hold_is_refused(machine: Machine) -> None:
    code, said = applied(machine, "circus::watcher { 'a': cmd => 'sh -c \"one ; two\"' }")
    assert code not in (NOTHING, CHANGED)
    assert "Circus::Text" in said
