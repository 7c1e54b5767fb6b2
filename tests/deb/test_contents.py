"""What is in the packages, before anybody installs them."""

from __future__ import annotations

import hashlib
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(900)  # the first test of a session builds


def test_two_builds_are_the_same_bit_for_bit(builds: list[Path]) -> None:
    first, second = (
        {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}
        for folder in builds
    )
    assert first == second
    assert len(first) == 4  # circus, circus-console, python3-circus, and what a debugger wants


def test_lintian_has_nothing_to_say(builds: list[Path]) -> None:
    asked = ["lintian", "--allow-root", "--fail-on", "error,warning"]
    ended = subprocess.run(
        [*asked, *builds[0].glob("*.deb")], capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.stdout == ""
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    "path",
    [
        "etc/circus/circus.ini",
        "etc/circus/conf.d",
        "etc/circus/console.ini",
        "etc/logrotate.d/circus",
        "usr/bin/circusctl",
        "usr/bin/circusd",
        "usr/bin/circushttpd",
        "usr/lib/python3/dist-packages/circus/py.typed",
        "usr/lib/python3/dist-packages/circus/web/static/console.css",
        "usr/lib/python3/dist-packages/circus/web/templates/base.html",
        "usr/lib/systemd/user/circus.service",
        "usr/share/bash-completion/completions/circus-plugin",
        "usr/share/bash-completion/completions/circus-top",
        "usr/share/bash-completion/completions/circusctl",
        "usr/share/bash-completion/completions/circusd",
        "usr/share/bash-completion/completions/circusd-stats",
        "usr/share/bash-completion/completions/circushttpd",
        "usr/share/doc/circus/examples/ansible/tasks/main.yml",
        "usr/share/doc/circus/examples/chef/resources/watcher.rb",
        "usr/share/doc/circus/examples/hardened.conf",
        "usr/share/doc/circus/examples/puppet/manifests/init.pp",
        "usr/share/doc/circus/examples/web.socket",
        "usr/share/doc/circus/installing.md",
        "usr/share/doc/circus/migrate",
        "usr/share/doc/circus/pictures/circus-top-overview.svg",
        "usr/share/man/man1/circus-plugin.1.gz",
        "usr/share/man/man1/circus-top.1.gz",
        "usr/share/man/man1/circusctl.1.gz",
        "usr/share/man/man1/circusd-stats.1.gz",
        "usr/share/man/man1/circushttpd.1.gz",
        "usr/share/man/man5/circus.ini.5.gz",
        "usr/share/man/man5/console.ini.5.gz",
        "usr/share/man/man8/circus.service.8.gz",
        "usr/share/man/man8/circusd.8.gz",
        "usr/share/zsh/vendor-completions/_circus",
        "usr/share/zsh/vendor-completions/_circusctl",
    ],
)
def test_it_is_where_one_looks_for_it(unpacked: Path, path: str) -> None:
    assert (unpacked / path).exists()


@pytest.mark.parametrize(
    "path", ["usr/lib/circus/stop-post", "usr/lib/python3/dist-packages/circus/host/launch"]
)
def test_what_is_run_is_a_program(unpacked: Path, path: str) -> None:
    assert os.access(unpacked / path, os.X_OK)
    assert not (unpacked / f"{path}.c").exists()


def test_only_their_owner_may_write(unpacked: Path) -> None:
    below = [path for path in unpacked.rglob("*") if not path.is_symlink()]
    assert [path for path in below if path.stat().st_mode & 0o022] == []


@pytest.mark.parametrize(
    "page",
    [
        "man1/circus-plugin.1",
        "man1/circus-top.1",
        "man1/circusctl.1",
        "man1/circusd-stats.1",
        "man1/circushttpd.1",
        "man5/circus.ini.5",
        "man5/console.ini.5",
        "man8/circus.service.8",
        "man8/circusd.8",
    ],
)
def test_a_manual_page_is_shown_without_a_warning(unpacked: Path, page: str) -> None:
    ended = subprocess.run(
        ["man", "--warnings", "--encoding=UTF-8", "--local-file", "--troff-device=utf8",
         "--ditroff", unpacked / "usr/share/man" / f"{page}.gz"],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "80"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )  # fmt: skip
    assert ended.stdout
    assert ended.stderr == ""


def test_logrotate_understands_its_file(unpacked: Path) -> None:
    ended = subprocess.run(
        ["/usr/sbin/logrotate", "--debug", unpacked / "etc/logrotate.d/circus"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "rotating pattern: /var/log/circus/*.log" in ended.stderr
    assert "error" not in ended.stderr
