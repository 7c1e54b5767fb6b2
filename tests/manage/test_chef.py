"""The Chef cookbook as far as it can be tried without Chef: read, its resources listed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from circus.config.load import load
from tests.deb import roots
from tests.systemd.machine import ON_A_MACHINE

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.systemd.machine import Machine

pytestmark = ON_A_MACHINE

READER = roots.TREE / "tests" / "manage" / "chef.rb"
COOKBOOK = "/root/circus"


def read(machine: Machine, recipe: str) -> subprocess.CompletedProcess[str]:
    """What the reader makes of a recipe."""
    machine.write("/root/chef.rb", READER.read_text(encoding="utf-8"))
    machine.write("/root/recipe.rb", recipe)
    return machine.run(f"ruby -w /root/chef.rb {COOKBOOK} /root/recipe.rb", check=False)


@pytest.fixture
def resources(machine: Machine, samples: dict[str, list[str]]) -> list[dict[str, Any]]:
    """What the sample of the page comes to."""
    ended = read(machine, samples["ruby"][0])
    assert (ended.returncode, ended.stderr) == (0, "")
    found: list[dict[str, Any]] = json.loads(ended.stdout)
    return found


def test_ruby_reads_every_file(machine: Machine) -> None:
    assert (
        machine.says(f"find {COOKBOOK} -name '*.rb' -exec ruby -wc {{}} + | sort -u") == "Syntax OK"
    )


def test_the_resources_of_the_page(resources: list[dict[str, Any]]) -> None:
    named = [f"{one['type']}[{one['name']}]" for one in resources if one["type"] != "circus_file"]
    conf_d = "/etc/circus/conf.d"
    assert named == [
        "package[['python3-circus', 'circus']]",
        f"directory[{conf_d}]",
        "service[circus]",
        "template[/etc/circus/circus.ini]",
        "circus_socket[web]",
        f"template[{conf_d}/socket-web.ini]",
        "circus_watcher[web]",
        f"template[{conf_d}/web.ini]",
        "circus_watcher[mailer]",
        f"template[{conf_d}/mailer.ini]",
        "circus_watcher[old]",
        f"file[{conf_d}/old.ini]",
    ]


def test_each_file_is_verified_and_reloads(resources: list[dict[str, Any]]) -> None:
    files = [one for one in resources if one["type"] in ("template", "file")]
    assert all(one["notifies"] == ["reload", "service[circus]", "delayed"] for one in files)
    for one in files:
        if one["type"] == "template":
            command = "/usr/bin/circusd --check /etc/circus/circus.ini --instead-of"
            assert one["verify"] == f"{command} '{one['name']}' %{{path}}"


def test_the_files_hold_what_the_page_says(resources: list[dict[str, Any]], tmp_path: Path) -> None:
    for one in resources:
        if one["type"] == "template":
            file = tmp_path / one["name"].removeprefix("/etc/circus/")
            file.parent.mkdir(exist_ok=True)
            file.write_text(one["content"], encoding="utf-8")
    config = load(str(tmp_path / "circus.ini"), {}).config
    assert config.circus.strict
    assert config.watchers["web"].numprocesses == 2
    assert config.watchers["web"].env["DATABASE"] == "postgresql://shop:secret@db/shop"
    assert config.watchers["mailer"].cmd == "/usr/bin/mailer --queue orders"
    assert config.sockets["web"].path == "/run/circus/web"


def test_attributes_say_the_same(machine: Machine) -> None:
    attribute = "node['circus']['watchers']['a'] = { 'cmd' => 'sleep 1' }"
    ended = read(machine, f"{attribute}\ninclude_recipe 'circus::default'\n")
    assert "watcher:a]\\ncmd = sleep 1\\n" in ended.stdout, ended.stderr


def test_a_name_that_a_shell_would_take_apart_is_refused(machine: Machine) -> None:
    ended = read(machine, "include_recipe 'circus'\ncircus_watcher(\"it's\") { cmd 'true' }\n")
    assert "circus_file /etc/circus/conf.d/it's.ini, path: not so: " in ended.stderr


def test_a_value_that_a_file_cannot_hold_is_refused(machine: Machine) -> None:
    ended = read(machine, "include_recipe 'circus'\ncircus_watcher('a') { cmd 'one ; two' }\n")
    assert "sections: not so: has values that circusd reads back" in ended.stderr
